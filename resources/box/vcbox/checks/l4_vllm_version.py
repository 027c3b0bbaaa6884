"""vLLM, its PyTorch and its CUDA are new enough for the card, by what they say themselves."""

from vcbox.checks import frameworks_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, LAYER = "l4_vllm_version", "vLLM's version", 4
PARTS = (("vllm", "vllm"), ("torch", "pytorch"), ("cuda", "cuda"))


def gather(look: Look) -> Raw:
    return frameworks_look.probe(look, "vllm")


def judge(raw: Raw, profile: Profile) -> Result:
    return frameworks_look.judge_versions(raw, profile, "vLLM", PARTS)
