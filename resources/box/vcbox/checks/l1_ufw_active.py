"""The firewall is on."""

from vcbox.checks import ufw_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged

ID, TITLE, LAYER = "l1_ufw_active", "The firewall is on", 1


def gather(look: Look) -> Raw:
    return ufw_look.gather(look)


def judge(raw: Raw, profile: Profile) -> Result:
    return ufw_look.unusable(raw, "active") or judged(True, "active", "active", "", evidence=raw["out"])
