"""The second of the four benchmarks: tokens a second of all requests at once."""

from vcbox.checks import bench_look, vllm_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t6_vllm", "vLLM throughput", bench_look.SUITE, 4
gather = vllm_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    return vllm_look.throughput(raw, profile, "batch", "batchTokensPerSecond")
