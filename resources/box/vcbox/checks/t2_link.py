"""The PCIe link of each card while it trains."""

from vcbox.checks import ddp_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t2_link", "PCIe link while training", ddp_look.SUITE, 4
gather = ddp_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    return ddp_look.ruled("link", raw, profile)
