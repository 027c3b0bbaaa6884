"""Every card is read from the start of the soak to its end, and tells fresh values."""

from vcbox.checks import soak_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t7_telemetry", "Cards are there all the while", soak_look.SUITE, 4
gather = soak_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    return soak_look.ruled("telemetry", raw, profile)
