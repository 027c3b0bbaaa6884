"""The firewall is on after a reboot: its own switch and its unit."""

import re

from vcbox.checks.base import Look, Profile, Raw, Result, judged

ID, TITLE, LAYER = "l1_ufw_boot", "The firewall starts at boot", 1


def gather(look: Look) -> Raw:
    return {
        "unit": look.command("systemctl", "is-enabled", "ufw.service"),
        "conf": look.read("/etc/ufw/ufw.conf"),
    }


def judge(raw: Raw, profile: Profile) -> Result:
    unit = raw["unit"]["out"].strip() or "no unit"
    switch = re.search(r"^ENABLED=(\S+)", raw["conf"] or "", re.MULTILINE)
    state = switch[1].strip("\"'").lower() if switch else "missing"
    value = f"unit {unit}, ENABLED={state}"
    return judged(
        unit == "enabled" and state == "yes", value, "unit enabled, ENABLED=yes", "Run hardening again."
    )
