"""unattended-upgrades installs nothing but security updates, and the others are announced at login."""

import os

from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, said
from vcbox.checks.l1_updates_security import ORIGINS
from vcbox.parsers.system import parse_apt_config

# Ubuntu's release pocket never changes after the release; a security update may need a package from it.
UNCHANGING = ("origin=Ubuntu,archive=${distro_codename}", "Ubuntu:${distro_codename}")

ID, TITLE, LAYER = "l1_updates_others", "Other updates are manual", 1
# What ansible/roles/base_system installs, and apt's daily run starts after it.
ANNOUNCER = "/usr/local/sbin/vault-cube-pending-updates"


def gather(look: Look) -> Raw:
    daily = ("systemctl", "show", "-p", "ExecStartPost", "--value", "apt-daily-upgrade.service")
    return {
        "config": look.command("apt-config", "dump"),
        "daily": look.command(*daily),
        "announcer": os.access(ANNOUNCER, os.X_OK),
    }


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["config"]["status"]:
        return error(f"apt-config: {said(raw['config'])}", "Mend apt's configuration: apt-config dump names the file.")
    config = parse_apt_config(raw["config"]["out"])
    others = [
        v
        for key in ORIGINS
        for v in config.get(key, [])
        if "security" not in v.lower() and v not in UNCHANGING
    ]
    wrong = [f"also automatic: {'; '.join(others)}"] if others else []
    if not raw["announcer"] or ANNOUNCER not in raw["daily"]["out"]:
        wrong.append("nobody is told of them at login")
    value = "; ".join(wrong) or "none automatic, announced at login"
    return judged(not wrong, value, "only security archives, others announced", "Run layer 1 again.")
