"""Every kernel has its headers, so that DKMS can build for it."""

from pathlib import Path

from vcbox.checks import driver_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_supported

ID, TITLE, LAYER = "l2_headers", "Headers of every kernel", 2


def gather(look: Look) -> Raw:
    return {k: Path(f"/lib/modules/{k}/build/include").is_dir() for k in driver_look.kernels(look)}


def judge(raw: Raw, profile: Profile) -> Result:
    if not raw:
        return not_supported(driver_look.NO_KERNEL)
    missing = [kernel for kernel, there in raw.items() if not there]
    value = f"missing for {', '.join(missing)}" if missing else f"there for {', '.join(raw)}"
    return judged(not missing, value, "there for every kernel", driver_look.AGAIN)
