"""The modules are NVIDIA's open ones: the only ones that drive Blackwell cards."""

from vcbox.checks import driver_look, gpu_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_supported

ID, TITLE, LAYER = "l2_module_open", "Open kernel modules", 2
OPEN = "Dual MIT/GPL"


def gather(look: Look) -> Raw:
    files = {k: driver_look.module_field(look, k, "license") for k in driver_look.kernels(look)}
    return {"files": files, "loaded": driver_look.loaded(look)["told"]}


def judge(raw: Raw, profile: Profile) -> Result:
    want, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("openModules"), "value")
    if want is False:
        return not_supported("the profile does not ask for open modules")
    files, loaded = raw["files"], raw["loaded"]
    if not files and not loaded:
        return not_supported(driver_look.NO_KERNEL)
    wrong = [f"{kernel}: {licence or 'no module'}" for kernel, licence in files.items() if licence != OPEN]
    # "NVIDIA UNIX Open Kernel Module for x86_64 …"; the closed one calls itself "NVIDIA UNIX x86_64 Kernel Module".
    if loaded and "Open Kernel Module" not in loaded:
        wrong.append(f"loaded: {' '.join(loaded.split())}")
    value = "; ".join(wrong) or OPEN
    lines = [f"{kernel}: {licence}" for kernel, licence in files.items()]
    evidence = "\n".join([*lines, *([loaded] if loaded else [])])
    advice = "Run layer 2 again, which installs the open modules and builds them; then reboot if that is due."
    return judged(not wrong, value, f"licence {OPEN}", advice, source=source, evidence=evidence)
