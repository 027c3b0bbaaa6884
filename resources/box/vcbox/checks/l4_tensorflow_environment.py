"""The environment of TensorFlow is exactly its lock file: packages, versions, files, owner."""

from vcbox.checks import frameworks_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, LAYER = "l4_tensorflow_environment", "TensorFlow's environment is exactly its lock file", 4


def gather(look: Look) -> Raw:
    return frameworks_look.environment(look, "tensorflow")


def judge(raw: Raw, profile: Profile) -> Result:
    return frameworks_look.judge_environment(raw)
