"""No card slowed down for heat or power over the soak."""

from vcbox.checks import soak_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t7_throttle", "No throttling over the soak", soak_look.SUITE, 4
gather = soak_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    return soak_look.ruled("throttle", raw, profile)
