"""nvidia-smi answers in time and of this moment: one that hangs or repeats itself makes every other look worthless."""

import time

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged, not_run

ID, TITLE, SUITE = "gpu_answers", "nvidia-smi answers in time", gpu_look.SUITE
gather = gpu_look.gather
# As nvidia-smi writes its time, which is the box's local one.
FORMAT = "%a %b %d %H:%M:%S %Y"
STALE_SECONDS = 120.0
SOURCE = "one question is answered in about a second with persistence on (estimate)"


def judge(raw: Raw, profile: Profile) -> Result:
    limit, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("answerSeconds"), "max")
    limit, source = (limit, source) if limit is not None else (10, SOURCE)
    want = f"within {limit} s, of this moment"
    if raw["query"] is None:
        return _silent(raw, want, source)
    age = _age(raw)
    if age is not None and age > STALE_SECONDS:
        value = f"its answer is of {raw['query']['timestamp']}, {age:.0f} s off the box's clock"
        advice = "Something else answers in its name, or an old answer is kept: look at what nvidia-smi is, then reboot."
        return judged(False, value, want, advice, source=source)
    seconds = raw.get("seconds") or 0.0
    advice = "Switch persistence on (layer 2 does); if it is on, a card hangs: look at the kernel log for Xid, then reboot."
    return judged(seconds <= limit, round(seconds, 2), want, advice, source=source, unit="s")


def _silent(raw: Raw, want: str, source: str | None) -> Result:
    if raw["status"] == 127:
        return not_run("no NVIDIA driver is installed: nvidia-smi is missing", gpu_look.INSTALL)
    why = raw["why"] or "no answer"
    if raw["status"] == 124:
        advice = "A card hangs in the driver: look at the kernel log for Xid 79 or 119, then switch the box off and on, not only reboot."
    elif "mismatch" in why:
        advice = "The loaded module is of another version than nvidia-smi: reboot, then run layer 2 again."
    elif "lost" in why or "device handle" in why:
        advice = "A card fell off the bus: see the check of Xid errors; reboot; if it comes again, reseat the card and its power cable."
    else:
        advice = "Look at the kernel log for NVRM; reboot if that is due, then run layer 2 again."
    return judged(False, why[:300], want, advice, source=source, evidence=why)


def _age(raw: Raw) -> float | None:
    """How far its time is from the box's, in seconds; None where one of them is not told."""
    stamp, at = raw["query"].get("timestamp"), raw.get("at")
    if not stamp or at is None:
        return None
    try:
        then = time.mktime(time.strptime(stamp, FORMAT))
    except ValueError:
        return None
    return abs(at - then)
