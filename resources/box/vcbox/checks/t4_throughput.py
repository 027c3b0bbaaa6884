"""How many tokens a second one request is given."""

from vcbox.checks import vllm_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t4_throughput", "Tokens a second", vllm_look.SUITE, 4
gather = vllm_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    return vllm_look.throughput(raw, profile, "single", "tokensPerSecond")
