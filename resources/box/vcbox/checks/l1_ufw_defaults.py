"""The firewall denies what comes in and allows what goes out."""

from vcbox.checks import ufw_look
from vcbox.checks.base import Profile, Raw, Result, judged, not_run

ID, TITLE, LAYER = "l1_ufw_defaults", "The firewall denies incoming, allows outgoing", 1
gather = ufw_look.gather
WANT = "deny (incoming), allow (outgoing)"


def judge(raw: Raw, profile: Profile) -> Result:
    if ufw_look.unusable(raw, WANT):
        return not_run(
            "the firewall is not active, and only an active one shows its policies", ufw_look.AGAIN
        )
    found = raw["ufw"]["defaults"]
    value = ", ".join(f"{policy} ({direction})" for direction, policy in found.items()) or "not shown"
    good = found.get("incoming") in ("deny", "reject") and found.get("outgoing") == "allow"
    return judged(good, value, WANT, ufw_look.AGAIN, evidence=raw["out"])
