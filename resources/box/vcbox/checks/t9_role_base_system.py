"""A second run of the role base_system changes nothing."""

from vcbox.checks import role_look
from vcbox.checks.base import Look, Raw

ID, TITLE, SUITE, NEEDS = "t9_role_base_system", "Base system: a second run changes nothing", "roles", 1
judge = role_look.judge


def gather(look: Look) -> Raw:
    return role_look.gather(look, "base_system")
