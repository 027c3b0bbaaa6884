"""Training on all GPUs is so many times as fast as on one."""

from vcbox.checks import ddp_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t2_efficiency", "Scaling over all GPUs", ddp_look.SUITE, 4
gather = ddp_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    return ddp_look.efficiency(raw, profile)
