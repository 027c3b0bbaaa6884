"""The running kernel has loaded NVIDIA's module."""

from vcbox.checks import driver_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_supported

ID, TITLE, LAYER = "l2_module_loaded", "The kernel module is loaded", 2


def gather(look: Look) -> Raw:
    return {"container": driver_look.in_container(look), "loaded": driver_look.loaded(look)["version"]}


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["loaded"]:
        return judged(True, raw["loaded"], "loaded", "")
    if raw["container"]:
        return not_supported(driver_look.NO_KERNEL)
    return judged(
        False,
        "not loaded",
        "loaded",
        "Reboot. If it stays, look at `dmesg | grep -i -e NVRM -e nouveau` and at Secure Boot.",
    )
