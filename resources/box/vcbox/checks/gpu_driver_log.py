"""The driver took hold of every card: it complains of none in the kernel log."""

from vcbox.checks import gpu_look, kernel_look
from vcbox.checks.base import Profile, Raw, Result, judged
from vcbox.parsers.kernel_log import parse_complaints

ID, TITLE, SUITE = "gpu_driver_log", "No card that the driver could not start", gpu_look.SUITE
gather = kernel_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    found = parse_complaints(raw["log"] or "")
    if found:
        what = dict.fromkeys(c.sentence for c, _ in found)
        evidence = "\n".join(line for _, line in found)[-8000:]
        return judged(False, "; ".join(what), "no complaint", found[0][0].next, evidence=evidence)
    if stop := gpu_look.blocked(raw) or kernel_look.unread(raw):
        return stop
    return judged(True, "none", "no complaint", "")
