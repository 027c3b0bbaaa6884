"""PyTorch sees every GPU and has kernels for it."""

from vcbox.checks import frameworks_gpus
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, LAYER = "l4_torch_gpus", "PyTorch sees the GPUs", 4


def gather(look: Look) -> Raw:
    return frameworks_gpus.gather(look, "torch")


def judge(raw: Raw, profile: Profile) -> Result:
    return frameworks_gpus.judge(raw, profile, "PyTorch")
