"""One driver version in all parts: the kernel module, the user space, and the firmware on every card."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Look, Profile, Raw, Result, error, judged

ID, TITLE, SUITE = "gpu_driver_same", "One driver version everywhere", gpu_look.SUITE


def gather(look: Look) -> Raw:
    return {**gpu_look.gather(look), "module": look.read("/sys/module/nvidia/version")}


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := gpu_look.blocked(raw):
        return stop
    found = {"nvidia-smi": raw["query"]["driver"]}
    if raw["module"]:
        found["kernel module"] = raw["module"].strip()
    # A card without GSP firmware tells N/A here, which is no difference.
    found |= {f"firmware of {bus}": version for bus, version in gpu_look.each(raw, "gsp") if version}
    if not found["nvidia-smi"]:
        return error("nvidia-smi tells no driver version", "Look at nvidia-smi -q.")
    same = len(set(found.values())) == 1
    value = found["nvidia-smi"] if same else ", ".join(f"{k}: {v}" for k, v in found.items())
    advice = "A reboot is due, or two driver versions are mixed: reboot, then run layer 2 again."
    evidence = "\n".join(f"{k}: {v}" for k, v in found.items())
    return judged(same, value, "one version", advice, evidence=evidence)
