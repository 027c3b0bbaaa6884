"""SSH is open in the firewall, over IPv4 and IPv6."""

from vcbox.checks import ufw_look
from vcbox.checks.base import Profile, Raw, Result, box_value, judged, not_run

ID, TITLE, LAYER = "l1_ufw_ssh", "The firewall lets SSH in", 1
gather = ufw_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    port = box_value(profile, "sshPort")
    want = f"{port}/tcp from anywhere, v4 and v6"
    if ufw_look.unusable(raw, want):
        return not_run("the firewall is not active, and only an active one shows its rules", ufw_look.AGAIN)
    rules = raw["ufw"]["rules"]
    lacking = [
        name
        for name, v6 in (("IPv4", False), ("IPv6", True))
        if not any(ufw_look.is_open(r, port, v6) for r in rules)
    ]
    value = f"not over {' and '.join(lacking)}" if lacking else "open over both"
    return judged(not lacking, value, want, ufw_look.AGAIN, evidence=raw["out"])
