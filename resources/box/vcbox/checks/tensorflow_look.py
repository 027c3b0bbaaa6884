"""What TensorFlow does on every GPU, run once a job for the checks of T3. Not a check itself."""

import json
from typing import Any

from vcbox.checks import gpu_look, load_look
from vcbox.checks.base import Look, Profile, Raw, Result, not_supported
from vcbox.parsers.lock import covers

SUITE = "tensorflow"
ADVICE = "Compare nvidia-smi's list; run layer 4's health check, then the suite again."


def gather(look: Look) -> Raw:
    """`{refused, smi, gpus, run}` of tf_ops.py."""

    def run(gpus: int) -> Raw:
        assert look.bench
        given = load_look.settings(look.profile, "tensorflow", "memoryMiB")
        program = load_look.program(look, "tensorflow", "tf_ops", json.dumps(given))
        return {"gpus": gpus, "run": look.bench.run(program)}

    return load_look.gather(look, "tensorflow", run)


def told(raw: Raw) -> dict[str, Any] | None:
    """What it says of its devices and of itself."""
    found = load_look.records(raw["run"], "devices")
    return found[0] if found else None


def stock(raw: Raw, profile: Profile) -> Result | None:
    """not_supported where this build has no kernels for the card: a fact of TensorFlow's wheels and no fault of the box."""
    one = told(raw)
    capability, _ = gpu_look.threshold(gpu_look.gpu_profile(profile).get("computeCapability"), "value")
    if one is None or capability is None or covers(one["archs"], capability):
        return None
    kernels = ", ".join(one["archs"]) or "no GPU"
    return not_supported(
        f"TensorFlow {one['tensorflow']} has kernels for {kernels}; the card's compute capability is {capability}",
        evidence=load_look.evidence(raw["run"]),
    )
