"""The driver reported no error (Xid) in the kernel log since the box was started."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_run
from vcbox.parsers.kernel_log import FATAL, parse_xids

ID, TITLE, SUITE = "gpu_xid", "No Xid errors in the kernel log", gpu_look.SUITE


def gather(look: Look) -> Raw:
    raw = gpu_look.gather(look)
    journal = look.command("journalctl", "-k", "-b", "--no-pager", "-q", timeout=60)
    kernel = journal if journal["status"] == 0 and journal["out"].strip() else look.command("dmesg")
    log = kernel["out"] if kernel["status"] == 0 and kernel["out"].strip() else None
    lines = "\n".join(line for line in (log or "").splitlines() if "NVRM" in line)
    why = None if log else (kernel["err"].strip() or "it is empty")
    return {**raw, "log": lines if log else None, "logWhy": why}


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := gpu_look.blocked(raw):
        return stop
    if raw["log"] is None:
        return not_run(f"the kernel log cannot be read: {raw['logWhy']}", "Run as root on the box itself.")
    found = parse_xids(raw["log"])
    if not found:
        return judged(True, 0, "none", "", evidence=raw["log"][-2000:] or None)
    fatal = [x for x in found if x["xid"] in FATAL]
    numbers = ", ".join(sorted({f"Xid {x['xid']} on {x['bus']}" for x in found}))
    evidence = "\n".join(x["line"] for x in found)[-8000:]
    advice = (
        "Look the number up in NVIDIA's Xid list; check power cables and seating; reboot, then run again."
    )
    if fatal:
        return judged(False, numbers[:300], "none", advice, evidence=evidence)
    return Result("warn", numbers[:300], threshold="none", next=advice, evidence=evidence)
