"""What T6's programs measure on each GPU, run once a job, and how numbers of several cards are judged. Not a check itself."""

import json
from typing import Any

from vcbox.checks import load_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged

SUITE = "performance"
ADVICE = "Look at the evidence; run layer 4's health check, then the suite again."


def gather(look: Look) -> Raw:
    """`{refused, smi, gpus, run}` of bench_gpu.py."""

    def run(gpus: int) -> Raw:
        assert look.bench
        given = load_look.settings(look.profile, "bench", "matrix", "seconds", "mib")
        program = load_look.program(look, "torch", "bench_gpu", json.dumps(given))
        return {"gpus": gpus, "run": look.bench.run(program)}

    return load_look.gather(look, "bench", run)


def gather_vram(look: Look) -> Raw:
    """The same of vram_test.py."""

    def run(gpus: int) -> Raw:
        assert look.bench
        given = load_look.settings(look.profile, "vram", "fraction", "rounds")
        program = load_look.program(look, "torch", "vram_test", json.dumps(given))
        return {"gpus": gpus, "run": look.bench.run(program)}

    return load_look.gather(look, "vram", run)


def listed(told: list[dict[str, Any]], key: str, unit: str) -> str:
    return ", ".join(f"{named(one)} {one[key]:g} {unit}" for one in told)


def named(one: dict[str, Any]) -> str:
    return f"GPU {one['source']} to {one['target']}" if "source" in one else f"GPU {one['gpu']}"


def copies(
    raw: Raw, profile: Profile, what: str, least: str, advice: str, *, expected: int | None = None
) -> Result:
    """Copies of one kind: all data right on every card first, then the slowest one by its floor."""
    if stop := load_look.stop(raw):
        return stop
    told = load_look.records(raw["run"], "measured", what=what)
    text = "\n".join([listed(told, "GBps", "GB/s"), load_look.evidence(raw["run"], "card")])
    wrong = [one for one in told if one["wrong"]]
    if wrong:
        value = ", ".join(
            f"{named(one)}: {one['wrong']} of {one['mib'] * 2**17} words wrong" for one in wrong
        )
        return judged(False, value[:400], "all data right", advice, evidence=text)
    if len(told) < (raw["gpus"] if expected is None else expected):
        return load_look.broken(raw["run"], f"this measurement on all {raw['gpus']} GPUs", ADVICE)
    slowest = min(one["GBps"] for one in told)
    return load_look.at_least(
        slowest,
        load_look.floor(profile, "bench", least),
        "GB/s",
        advice,
        right="all data right",
        evidence=text,
    )
