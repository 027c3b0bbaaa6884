"""The driver is new enough for the card."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, error, judged
from vcbox.parsers.system import at_least

ID, TITLE, SUITE = "gpu_driver_floor", "Driver version", gpu_look.SUITE
gather = gpu_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    floor, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("driverFloor"), "version")
    if stop := gpu_look.blocked(raw):
        return stop
    if floor is None:
        return gpu_look.unnamed("driver floor")
    found = raw["query"]["driver"]
    if not found:
        return error("nvidia-smi tells no driver version", "Look at nvidia-smi -q.")
    advice = "Run layer 2 again, which installs a driver that the profile allows."
    return judged(at_least(found, floor), found, f"{floor} or newer", advice, source=source)
