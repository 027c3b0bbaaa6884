"""unattended-upgrades installs nothing but security updates."""

from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, said
from vcbox.checks.l1_updates_security import ORIGINS
from vcbox.parsers.system import parse_apt_config

# Ubuntu's release pocket never changes after the release; a security update may need a package from it.
UNCHANGING = ("origin=Ubuntu,archive=${distro_codename}", "Ubuntu:${distro_codename}")

ID, TITLE, LAYER = "l1_updates_others", "Other updates are manual", 1


def gather(look: Look) -> Raw:
    return look.command("apt-config", "dump")


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["status"]:
        return error(f"apt-config: {said(raw)}", "Mend apt's configuration: apt-config dump names the file.")
    config = parse_apt_config(raw["out"])
    others = [
        v
        for key in ORIGINS
        for v in config.get(key, [])
        if "security" not in v.lower() and v not in UNCHANGING
    ]
    value = f"also automatic: {'; '.join(others)}" if others else "none automatic"
    return judged(not others, value, "only security archives", "Run layer 1 again.")
