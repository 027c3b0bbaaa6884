"""TensorFlow sees every GPU and has kernels for it; not supported where its wheels have none."""

from vcbox.checks import frameworks_gpus
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, LAYER = "l4_tensorflow_gpus", "TensorFlow sees the GPUs", 4


def gather(look: Look) -> Raw:
    return frameworks_gpus.gather(look, "tensorflow")


def judge(raw: Raw, profile: Profile) -> Result:
    return frameworks_gpus.judge(raw, profile, "TensorFlow", stock=True)
