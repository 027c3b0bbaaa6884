"""unattended-upgrades never reboots the box by itself."""

from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, said
from vcbox.parsers.system import parse_apt_config

ID, TITLE, LAYER = "l1_updates_reboot", "No automatic reboot", 1


def gather(look: Look) -> Raw:
    return look.command("apt-config", "dump")


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["status"]:
        return error(f"apt-config: {said(raw)}", "Mend apt's configuration: apt-config dump names the file.")
    found = parse_apt_config(raw["out"]).get("Unattended-Upgrade::Automatic-Reboot")
    value = found[-1] if found else "not set"
    good = value.lower() in ("false", "0", "no", "off", "disable")
    return judged(good, value, "false, set explicitly", "Run layer 1 again.")
