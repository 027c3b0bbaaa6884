"""cuDNN is installed, and new enough for the cards."""

from vcbox.checks import driver_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, LAYER = "l2_cudnn", "cuDNN", 2
gather = driver_look.packages


def judge(raw: Raw, profile: Profile) -> Result:
    return driver_look.package_version(raw, profile, "cudnn", r"libcudnn\d+-cuda-\d+")
