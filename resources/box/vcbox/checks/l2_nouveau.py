"""Nouveau, which would take the cards first, is kept out."""

from pathlib import Path

from vcbox.checks import driver_look
from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, said

ID, TITLE, LAYER = "l2_nouveau", "Nouveau is kept out", 2


def gather(look: Look) -> Raw:
    # A container sees its host's modules, if any.
    loaded = Path("/sys/module/nouveau").exists() and not driver_look.in_container(look)
    return {"config": look.command("modprobe", "--showconfig"), "loaded": loaded}


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["config"]["status"]:
        return error(f"modprobe --showconfig: {said(raw['config'])}", "Mend /etc/modprobe.d.")
    lines = raw["config"]["out"].splitlines()
    wrong = [] if "blacklist nouveau" in lines else ["not blacklisted"]
    advice = driver_look.AGAIN
    if raw["loaded"]:
        wrong.append("loaded now")
        advice = "Reboot if it is blacklisted; else run layer 2 again and then reboot."
    evidence = "\n".join(line for line in lines if "nouveau" in line)
    return judged(
        not wrong, ", ".join(wrong) or "blacklisted", "blacklisted, not loaded", advice, evidence=evidence
    )
