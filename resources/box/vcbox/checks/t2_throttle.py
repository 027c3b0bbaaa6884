"""No card slowed down for heat or power while it trained."""

from vcbox.checks import ddp_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t2_throttle", "No throttling while training", ddp_look.SUITE, 4
gather = ddp_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    return ddp_look.ruled("throttle", raw, profile)
