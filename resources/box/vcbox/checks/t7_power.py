"""Power of each card over the soak."""

from vcbox.checks import soak_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t7_power", "Power over the soak", soak_look.SUITE, 4
gather = soak_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    return soak_look.ruled("power", raw, profile)
