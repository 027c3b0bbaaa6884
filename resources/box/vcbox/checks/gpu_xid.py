"""The driver reported no error (Xid) in the kernel log since the box was started."""

from vcbox.checks import gpu_look, kernel_look
from vcbox.checks.base import Profile, Raw, Result, judged
from vcbox.parsers.kernel_log import FATAL, parse_xids, short_bus
from vcbox.xids import meaning

ID, TITLE, SUITE = "gpu_xid", "No Xid errors in the kernel log", gpu_look.SUITE
gather = kernel_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    fatal, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("fatalXids"), "value")
    found = parse_xids(raw["log"] or "")
    # An Xid counts although nvidia-smi is silent: it may be why.
    if not found:
        if stop := gpu_look.blocked(raw) or kernel_look.unread(raw):
            return stop
        return judged(True, 0, "none", "", source=source, evidence=raw["log"][-2000:] or None)
    worst = [x for x in found if x["xid"] in (FATAL if fatal is None else fatal)]
    kinds = sorted({(x["xid"], short_bus(x["bus"])) for x in found})
    first = (worst or found)[0]["xid"]
    what = meaning(first)
    numbers = ", ".join(f"Xid {n} on {bus}" for n, bus in kinds)
    value = f"{numbers}: {what.sentence}"[:400]
    evidence = "\n".join(x["line"] for x in found)[-8000:]
    more = {"threshold": "none", "source": source, "evidence": evidence}
    return Result("fail" if worst else "warn", value, next=what.next, **more)
