"""No card is lost to the driver, and none waits for a reset."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE = "gpu_recovery", "No card waits for a reset", gpu_look.SUITE
gather = gpu_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := gpu_look.blocked(raw):
        return stop
    lost = [(bus, f"no answer to {', '.join(tags[:3])}") for bus, tags in gpu_look.each(raw, "lost") if tags]
    asked = [
        (bus, f"asks for {what}")
        for bus, what in gpu_look.each(raw, "recovery")
        if what not in (None, "None")
    ]
    bad = lost + asked
    advice = (
        "Reboot the box, then run the suite again; if it comes again on the same card, reseat it and its power cable, then send it back "
        "(RMA)."
    )
    return judged(not bad, gpu_look.where(bad)[:300] or "none", "none", advice)
