"""Any number of programs may use each card, and each card is whole: not one program only, not split (MIG)."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged, not_supported

ID, TITLE, SUITE = "gpu_compute_mode", "Cards are shared and whole", gpu_look.SUITE
gather = gpu_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := gpu_look.blocked(raw):
        return stop
    modes = gpu_look.each(raw, "computeMode")
    if gpu_look.silent(modes):
        return not_supported("the cards do not tell it")
    split = [(bus, "split (MIG)") for bus, word in gpu_look.each(raw, "mig") if word == "Enabled"]
    bad = [(bus, mode) for bus, mode in modes if mode != "Default"] + split
    advice = "Set it back: `nvidia-smi -c 0` for the mode, `nvidia-smi -mig 0` for a split card, then look for what sets it."
    return judged(not bad, gpu_look.where(bad) or "Default", "Default, not split", advice)
