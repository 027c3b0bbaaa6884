"""The NVIDIA Container Toolkit is there, and none that lets a container take over its host (CVE-2025-23266)."""

import re

from vcbox.checks import driver_look
from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, said
from vcbox.parsers.system import at_least

ID, TITLE, LAYER = "l3_toolkit", "NVIDIA Container Toolkit", 3
# For a profile that names none.
FLOOR, SOURCE = "1.17.8", "CVE records: 1.17.7 and older are open to CVE-2025-23266"
AGAIN = "Run layer 3 again with a bundle that has such a toolkit."


def gather(look: Look) -> Raw:
    return look.command("nvidia-ctk", "--version")


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["status"]:
        return judged(False, said(raw), f"{FLOOR} or newer", AGAIN, source=SOURCE)
    version = re.search(r"CLI version (\d[\d.]*)", raw["out"])
    if not version:
        return error("nvidia-ctk --version tells no version", AGAIN, evidence=raw["out"])
    if driver_look.floors(profile, "container-toolkit"):
        return driver_look.judge_version(profile, "container-toolkit", version[1], AGAIN, raw["out"])
    good = at_least(version[1], FLOOR)
    return judged(good, version[1], f"{FLOOR} or newer", AGAIN, source=SOURCE, evidence=raw["out"])
