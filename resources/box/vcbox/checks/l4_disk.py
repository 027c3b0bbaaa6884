"""Room is left on the root disk when the frameworks are on it."""

import os

from vcbox.checks.base import Look, Profile, Raw, Result, judged
from vcbox.checks.gpu_look import threshold, unnamed

ID, TITLE, LAYER = "l4_disk", "Room on the disk", 4
ADVICE = "Remove what is not needed (docker system df, journalctl --disk-usage), then run the check again."


def gather(look: Look) -> Raw:
    found = os.statvfs("/opt")
    return {"free": found.f_bavail * found.f_frsize}


def judge(raw: Raw, profile: Profile) -> Result:
    least, source = threshold(profile.get("freeLeftGiB"), "min")
    if least is None:
        return unnamed("room that must be left")
    free = round(raw["free"] / 2**30, 1)
    return judged(free >= least, free, f"at least {least} GiB free", ADVICE, unit="GiB", source=source)
