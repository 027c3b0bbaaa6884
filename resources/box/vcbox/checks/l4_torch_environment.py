"""The environment of PyTorch is exactly its lock file: packages, versions, files, owner."""

from vcbox.checks import frameworks_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, LAYER = "l4_torch_environment", "PyTorch's environment is exactly its lock file", 4


def gather(look: Look) -> Raw:
    return frameworks_look.environment(look, "torch")


def judge(raw: Raw, profile: Profile) -> Result:
    return frameworks_look.judge_environment(raw)
