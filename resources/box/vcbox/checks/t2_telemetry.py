"""Every card is read from the start of training to its end, and tells fresh values."""

from vcbox.checks import ddp_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t2_telemetry", "Cards are there all the while", ddp_look.SUITE, 4
gather = ddp_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    return ddp_look.ruled("telemetry", raw, profile)
