"""TensorFlow is new enough, by what it says itself."""

from vcbox.checks import frameworks_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, LAYER = "l4_tensorflow_version", "TensorFlow's version", 4
PARTS = (("tensorflow", "tensorflow"),)


def gather(look: Look) -> Raw:
    return frameworks_look.probe(look, "tensorflow")


def judge(raw: Raw, profile: Profile) -> Result:
    return frameworks_look.judge_versions(raw, profile, "TensorFlow", PARTS)
