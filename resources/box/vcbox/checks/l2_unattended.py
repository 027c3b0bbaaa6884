"""unattended-upgrades leaves NVIDIA's packages alone: a driver of another version than the loaded module stops every GPU."""

import re

from vcbox.checks import driver_look
from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, said
from vcbox.parsers.packages import nvidias, parse_packages
from vcbox.parsers.system import parse_apt_config

ID, TITLE, LAYER = "l2_unattended", "Automatic updates leave NVIDIA's packages alone", 2


def gather(look: Look) -> Raw:
    return {"config": look.command("apt-config", "dump"), "packages": driver_look.packages(look)}


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["config"]["status"]:
        return error(
            f"apt-config: {said(raw['config'])}", "Mend apt's configuration: apt-config dump names the file."
        )
    patterns = parse_apt_config(raw["config"]["out"]).get("Unattended-Upgrade::Package-Blacklist::", [])
    names = [p.name for p in nvidias(parse_packages(raw["packages"]["out"]))]
    # As unattended-upgrades does it: a regular expression, from the name's first letter.
    open_to = [name for name in names if not any(re.match(pattern, name) for pattern in patterns)]
    value = f"would be upgraded: {', '.join(open_to)}"[:500] if open_to else f"{len(names)} left out"
    return judged(not open_to, value, "none upgraded", driver_look.AGAIN, evidence="\n".join(patterns))
