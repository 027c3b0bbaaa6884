"""The modules are NVIDIA's open ones: the only ones that drive Blackwell cards."""

from vcbox.checks import driver_look, gpu_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_supported

ID, TITLE, LAYER = "l2_module_open", "Open kernel modules", 2
OPEN = "Dual MIT/GPL"


def gather(look: Look) -> Raw:
    return {k: driver_look.module_field(look, k, "license") for k in driver_look.kernels(look)}


def judge(raw: Raw, profile: Profile) -> Result:
    want, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("openModules"), "value")
    if want is False:
        return not_supported("the profile does not ask for open modules")
    if not raw:
        return not_supported(driver_look.NO_KERNEL)
    others = [f"{kernel}: {licence or 'no module'}" for kernel, licence in raw.items() if licence != OPEN]
    value = "; ".join(others) or OPEN
    evidence = "\n".join(f"{kernel}: {licence}" for kernel, licence in raw.items())
    advice = "Run layer 2 again, which installs the open modules and builds them."
    return judged(not others, value, f"licence {OPEN}", advice, source=source, evidence=evidence)
