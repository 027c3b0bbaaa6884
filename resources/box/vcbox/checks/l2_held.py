"""No upgrade by the way touches NVIDIA's packages."""

from vcbox.checks import driver_look
from vcbox.checks.base import Profile, Raw, Result, error, judged, said
from vcbox.parsers.packages import nvidias, parse_packages

ID, TITLE, LAYER = "l2_held", "NVIDIA's packages are held", 2
gather = driver_look.packages


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["status"]:
        return error(f"dpkg-query: {said(raw)}", "Repair dpkg: dpkg --configure -a.")
    found = nvidias(parse_packages(raw["out"]))
    if not found:
        return judged(False, "none is installed", "all held", "Run layer 2.")
    free = [p.name for p in found if not p.held]
    value = f"not held: {', '.join(free)}"[:500] if free else f"{len(found)} held"
    return judged(not free, value, "all held", driver_look.AGAIN)
