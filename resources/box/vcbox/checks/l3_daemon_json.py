"""Docker's configuration makes nvidia the default runtime, also after the next start."""

import json

from vcbox.checks.base import Look, Profile, Raw, Result, judged

ID, TITLE, LAYER = "l3_daemon_json", "Docker is configured for GPUs", 3
PATH = "/etc/docker/daemon.json"


def gather(look: Look) -> Raw:
    return {"text": look.read(PATH)}


def judge(raw: Raw, profile: Profile) -> Result:
    want, advice = "runtime nvidia, and it is the default", "Run layer 3 again."
    if raw["text"] is None:
        return judged(False, f"no {PATH}", want, advice)
    try:
        config = json.loads(raw["text"])
    except ValueError as e:
        # Layer 1 keeps it aside and writes one that Docker starts with.
        return judged(
            False, f"no JSON: {e}"[:300], want, "Run layer 1, then layer 3 again.", evidence=raw["text"]
        )
    config = config if isinstance(config, dict) else {}
    runtime = (config.get("runtimes") or {}).get("nvidia") or {}
    wrong = []
    if not str(runtime.get("path") or "").endswith("nvidia-container-runtime"):
        wrong.append("no runtime nvidia")
    if config.get("default-runtime") != "nvidia":
        wrong.append(f"the default is {config.get('default-runtime') or 'runc'}")
    return judged(not wrong, "; ".join(wrong) or "as it is to be", want, advice, evidence=raw["text"])
