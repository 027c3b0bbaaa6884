"""The administrator imports TensorFlow."""

from vcbox.checks import frameworks_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, LAYER = "l4_tensorflow_import", "TensorFlow imports", 4


def gather(look: Look) -> Raw:
    return frameworks_look.probe(look, "tensorflow")


def judge(raw: Raw, profile: Profile) -> Result:
    return frameworks_look.judge_import(raw, "TensorFlow", ("tensorflow",))
