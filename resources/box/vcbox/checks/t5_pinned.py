"""A container for each card, pinned by its UUID: all at once, each sees its own and no other."""

from vcbox.checks import docker_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t5_pinned", "One container a GPU", docker_look.SUITE, 3
gather = docker_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := docker_look.stop(raw):
        return stop
    return docker_look.judge(
        raw, "pinned", [[card] for card in raw["cards"]], "each sees exactly its own GPU"
    )
