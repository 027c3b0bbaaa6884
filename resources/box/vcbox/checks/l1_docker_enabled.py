"""Docker and the containerd that runs its containers start at boot."""

from vcbox.checks.base import Look, Profile, Raw, Result, judged, said

ID, TITLE, LAYER = "l1_docker_enabled", "Docker starts at boot", 1
UNITS = ("docker", "containerd")


def gather(look: Look) -> Raw:
    return {unit: look.command("systemctl", "is-enabled", f"{unit}.service") for unit in UNITS}


def judge(raw: Raw, profile: Profile) -> Result:
    words = {unit: told["out"].strip() or said(told) for unit, told in raw.items()}
    good = all(word == "enabled" for word in words.values())
    value = "enabled" if good else ", ".join(f"{unit}: {word}" for unit, word in words.items())
    return judged(good, value, "enabled", "systemctl enable docker containerd, or run layer 1 again.")
