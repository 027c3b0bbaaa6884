"""`--gpus all` gives a container every card of the box."""

from vcbox.checks import docker_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t5_all", "A container sees all GPUs", docker_look.SUITE, 3
gather = docker_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := docker_look.stop(raw):
        return stop
    return docker_look.judge(raw, "all", [raw["cards"]], f"all {raw['gpus']} GPUs of the box")
