"""The Docker daemon answers."""

import json

from vcbox.checks.base import Look, Profile, Raw, Result, judged, said

ID, TITLE, LAYER = "l1_docker_answers", "Docker answers", 1


def gather(look: Look) -> Raw:
    return look.command("docker", "info", "--format", "{{json .}}", timeout=60)


def judge(raw: Raw, profile: Profile) -> Result:
    try:
        info = json.loads(raw["out"])
    except ValueError:
        info = {}
    version, errors = info.get("ServerVersion"), info.get("ServerErrors") or []
    good = raw["status"] == 0 and bool(version) and not errors
    value = f"server {version}" if good else (errors[0] if errors else said(raw))
    advice = "Look at `systemctl status docker`, then run layer 1 again."
    return judged(
        good, str(value), "docker info without error", advice, evidence=raw["out"][:4000] or raw["err"]
    )
