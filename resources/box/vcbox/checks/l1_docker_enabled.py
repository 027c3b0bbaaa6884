"""Docker starts at boot."""

from vcbox.checks.base import Look, Profile, Raw, Result, judged, said

ID, TITLE, LAYER = "l1_docker_enabled", "Docker starts at boot", 1


def gather(look: Look) -> Raw:
    return look.command("systemctl", "is-enabled", "docker.service")


def judge(raw: Raw, profile: Profile) -> Result:
    word = raw["out"].strip()
    return judged(
        word == "enabled", word or said(raw), "enabled", "systemctl enable docker, or run layer 1 again."
    )
