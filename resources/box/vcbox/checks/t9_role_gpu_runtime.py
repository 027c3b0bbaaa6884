"""A second run of the role gpu_runtime changes nothing."""

from vcbox.checks import role_look
from vcbox.checks.base import Look, Raw

ID, TITLE, SUITE, NEEDS = "t9_role_gpu_runtime", "GPU runtime: a second run changes nothing", "roles", 3
judge = role_look.judge


def gather(look: Look) -> Raw:
    return role_look.gather(look, "gpu_runtime")
