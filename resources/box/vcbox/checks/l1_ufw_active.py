"""The firewall is on, and nothing in the kernel goes around it."""

from vcbox.checks import ufw_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, said

ID, TITLE, LAYER = "l1_ufw_active", "The firewall is on", 1


def gather(look: Look) -> Raw:
    return {"ufw": ufw_look.gather(look), "kernel": ufw_look.around(look)}


def judge(raw: Raw, profile: Profile) -> Result:
    want = "active, and no way in around it"
    off = ufw_look.unusable(raw["ufw"], want)
    if off:
        return off
    wrong = ufw_look.way_in(raw["kernel"])
    evidence = "\n".join(said(look) for look in [raw["ufw"], *raw["kernel"].values()])
    return judged(not wrong, "; ".join(wrong) or "active", want, ufw_look.AGAIN, evidence=evidence)
