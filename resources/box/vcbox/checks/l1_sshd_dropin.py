"""Our drop-in is read first: of most keywords sshd takes the first value, and cloud-init ships a drop-in too."""

import os
import re

from vcbox.checks.base import Look, Profile, Raw, Result, judged

ID, TITLE, LAYER = "l1_sshd_dropin", "sshd reads the Vault Cube drop-in first", 1
OURS = "00-vault-cube.conf"
INCLUDE = re.compile(r"^\s*include\s+/etc/ssh/sshd_config\.d/\*\.conf\s*$", re.IGNORECASE)


def gather(look: Look) -> Raw:
    folder = "/etc/ssh/sshd_config.d"
    names = sorted(n for n in os.listdir(folder) if n.endswith(".conf")) if os.path.isdir(folder) else []
    return {"names": names, "main": look.read("/etc/ssh/sshd_config")}


def judge(raw: Raw, profile: Profile) -> Result:
    want = f"{OURS} first, included before any setting"
    lines = [x for x in (raw["main"] or "").splitlines() if x.strip() and not x.lstrip().startswith("#")]
    again = "Run hardening again."
    if OURS not in raw["names"]:
        return judged(False, f"{OURS} is missing", want, again, evidence="\n".join(raw["names"]))
    if raw["names"][0] != OURS:
        return judged(
            False, f"{raw['names'][0]} sorts before it", want, again, evidence="\n".join(raw["names"])
        )
    if not lines or not INCLUDE.match(lines[0]):
        return judged(
            False, f"sshd_config begins with {lines[0].strip() if lines else 'nothing'!r}", want, again
        )
    return judged(True, "first", want, again, evidence="\n".join(raw["names"]))
