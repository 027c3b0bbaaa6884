"""No card became hotter while it trained than the profile allows, and fans turned."""

from vcbox.checks import ddp_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t2_temperature", "Temperature while training", ddp_look.SUITE, 4
gather = ddp_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    return ddp_look.ruled("temperature", raw, profile)
