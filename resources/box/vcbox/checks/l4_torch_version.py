"""PyTorch, and the CUDA it was built with, are new enough for the card, by what they say themselves."""

from vcbox.checks import frameworks_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, LAYER = "l4_torch_version", "PyTorch's version", 4
PARTS = (("torch", "pytorch"), ("cuda", "cuda"))


def gather(look: Look) -> Raw:
    return frameworks_look.probe(look, "torch")


def judge(raw: Raw, profile: Profile) -> Result:
    return frameworks_look.judge_versions(raw, profile, "PyTorch", PARTS)
