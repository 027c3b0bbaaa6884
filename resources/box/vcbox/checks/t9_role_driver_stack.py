"""A second run of the role driver_stack changes nothing."""

from vcbox.checks import role_look
from vcbox.checks.base import Look, Raw

ID, TITLE, SUITE, NEEDS = "t9_role_driver_stack", "Driver stack: a second run changes nothing", "roles", 2
judge = role_look.judge


def gather(look: Look) -> Raw:
    return role_look.gather(look, "driver_stack")
