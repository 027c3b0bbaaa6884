"""NCCL is installed, and new enough for several cards."""

from vcbox.checks import driver_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, LAYER = "l2_nccl", "NCCL", 2
gather = driver_look.packages


def judge(raw: Raw, profile: Profile) -> Result:
    return driver_look.package_version(raw, profile, "nccl", "libnccl2")
