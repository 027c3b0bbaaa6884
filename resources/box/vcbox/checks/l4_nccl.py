"""NCCL is new enough for several cards, in every environment."""

from dataclasses import replace

from vcbox.checks import frameworks_look
from vcbox.checks.base import Look, Profile, Raw, Result
from vcbox.checks.driver_look import judge_version

ID, TITLE, LAYER = "l4_nccl", "NCCL of the frameworks", 4


def gather(look: Look) -> Raw:
    return {name: frameworks_look.probe(look, name) for name in ("torch", "tensorflow", "vllm")}


def judge(raw: Raw, profile: Profile) -> Result:
    found: dict[str, Result] = {}
    for name, probe in raw.items():
        if stop := frameworks_look.silent(probe, name):
            return stop
        if stop := frameworks_look.untold(probe, "nccl", name):
            return stop
        found[name] = judge_version(profile, "nccl", str(probe["told"].get("nccl")), frameworks_look.AGAIN)
    decisive = next((r for r in found.values() if r.verdict != "pass"), next(iter(found.values())))
    return replace(decisive, value=", ".join(f"{name} {result.value}" for name, result in found.items()))
