"""The running Docker daemon starts containers with nvidia's runtime."""

import json

from vcbox.checks.base import Look, Profile, Raw, Result, judged, said

ID, TITLE, LAYER = "l3_default_runtime", "Docker's default runtime is nvidia", 3


def gather(look: Look) -> Raw:
    return look.command("docker", "info", "--format", "{{json .}}", timeout=60)


def judge(raw: Raw, profile: Profile) -> Result:
    try:
        info = json.loads(raw["out"])
    except ValueError:
        info = {}
    known, default = sorted(info.get("Runtimes") or {}), info.get("DefaultRuntime")
    if raw["status"] or not default:
        return judged(
            False, (info.get("ServerErrors") or [said(raw)])[0], "nvidia", "Run layer 1, then layer 3 again."
        )
    good = default == "nvidia" and "nvidia" in known
    return judged(good, default, "nvidia", "Run layer 3 again.", evidence=f"runtimes: {', '.join(known)}")
