"""DKMS has built the modules for every kernel that the box can boot."""

import re

from vcbox.checks import driver_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_supported, said

ID, TITLE, LAYER = "l2_dkms", "Modules for every kernel", 2


def gather(look: Look) -> Raw:
    kernels = driver_look.kernels(look)
    return {
        "status": look.command("dkms", "status", timeout=60),
        "modules": {kernel: driver_look.module_field(look, kernel, "version") for kernel in kernels},
    }


def judge(raw: Raw, profile: Profile) -> Result:
    status, want = raw["status"], "built and installed for every kernel"
    if status["status"]:
        return judged(False, said(status), want, driver_look.AGAIN)
    known = [line for line in status["out"].splitlines() if line.startswith("nvidia")]
    if not known:
        return judged(False, "DKMS knows no NVIDIA module", want, driver_look.AGAIN, evidence=status["out"])
    if not raw["modules"]:
        return not_supported(driver_look.NO_KERNEL, evidence=status["out"])
    missing = []
    for kernel, version in raw["modules"].items():
        # DKMS says so where a module's file is not the one that it built.
        built = any(
            re.match(rf"nvidia[^,]*, {re.escape(kernel)}, [^:]*: installed(?!.*Diff)", line) for line in known
        )
        if not built or version is None:
            missing.append(kernel)
    value = f"missing for {', '.join(missing)}" if missing else f"built for {', '.join(raw['modules'])}"
    return judged(not missing, value, want, driver_look.AGAIN, evidence=status["out"])
