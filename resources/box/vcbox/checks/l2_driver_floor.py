"""The driver is one that the cards and the software above it work with."""

from vcbox.checks import driver_look, gpu_look
from vcbox.checks.base import Profile, Raw, Result, error

ID, TITLE, LAYER = "l2_driver_floor", "Driver version", 2
gather = gpu_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := gpu_look.blocked(raw):
        return stop
    found = raw["query"]["driver"]
    if not found:
        return error("nvidia-smi tells no driver version", "Look at nvidia-smi -q.")
    return driver_look.judge_version(
        profile, "driver", found, "Run layer 2 again with a bundle that has such a driver."
    )
