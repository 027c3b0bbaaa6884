"""As many containers as cards, all at once, each with all cards."""

from vcbox.checks import docker_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t5_shared", "Containers share the GPUs", docker_look.SUITE, 3
gather = docker_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := docker_look.stop(raw):
        return stop
    return docker_look.judge(raw, "shared", [raw["cards"]] * raw["gpus"], f"each sees all {raw['gpus']} GPUs")
