"""TensorFlow takes memory on every GPU, fills it and reads it back."""

from typing import Any

from vcbox.checks import load_look, tensorflow_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE, NEEDS = "t3_memory", "TensorFlow takes memory on every GPU", tensorflow_look.SUITE, 4
gather = tensorflow_look.gather


def short(one: dict[str, Any]) -> str:
    return f"took {one['takenMiB']} of {one['wantedMiB']} MiB"


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := load_look.stop(raw):
        return stop
    found = load_look.records(raw["run"], "memory")
    text = load_look.evidence(raw["run"], "memory", "devices")
    bad = [
        f"GPU {one['gpu']}: {one.get('why') or short(one)}"
        for one in found
        if not one["right"] or (one["takenMiB"] or 0) < one["wantedMiB"]
    ]
    done = {one["gpu"] for one in found}
    missing = [str(gpu) for gpu in range(raw["gpus"]) if gpu not in done]
    if (bad or missing) and (stop := tensorflow_look.stock(raw, profile)):
        return stop
    want = "taken, filled and read on every GPU"
    if bad:
        return judged(False, "; ".join(bad)[:500], want, tensorflow_look.ADVICE, evidence=text)
    if missing:
        return load_look.broken(raw["run"], f"memory of GPU {', '.join(missing)}", tensorflow_look.ADVICE)
    value = ", ".join(f"GPU {one['gpu']} {one['takenMiB']} MiB" for one in found)
    return judged(True, value, want, tensorflow_look.ADVICE, evidence=text)
