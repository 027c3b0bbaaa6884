"""The driver answers."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, LAYER = "l2_nvidia_smi", "nvidia-smi answers", 2
gather = gpu_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["query"] is not None:
        return judged(True, f"driver {raw['query']['driver']}", "an answer", "")
    if raw["status"] == 127:
        return judged(False, "nvidia-smi is missing", "an answer", "Run layer 2, which installs the driver.")
    advice = "Look at `dmesg | grep NVRM`, then run layer 2 again."
    if "mismatch" in raw["why"]:
        advice = "The loaded module is of another version than the rest: reboot, then check again."
    elif "communicate" in raw["why"]:
        advice = "The module is not loaded: reboot if that is due, else look at `dmesg | grep NVRM`."
    return judged(False, raw["why"][:300] or "no answer", "an answer", advice, evidence=raw["why"])
