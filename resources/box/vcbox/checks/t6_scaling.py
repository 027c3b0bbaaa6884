"""The first of the four benchmarks: ResNet-50 on all GPUs against one."""

from vcbox.checks import bench_look, ddp_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t6_scaling", "PyTorch scaling", bench_look.SUITE, 4
gather = ddp_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    return ddp_look.efficiency(raw, profile)
