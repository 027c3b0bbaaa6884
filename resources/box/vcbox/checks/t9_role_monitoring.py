"""A second run of the role monitoring changes nothing."""

from vcbox.checks import role_look
from vcbox.checks.base import Look, Raw

ID, TITLE, SUITE, NEEDS = "t9_role_monitoring", "Monitoring: a second run changes nothing", "roles", 5
judge = role_look.judge


def gather(look: Look) -> Raw:
    return role_look.gather(look, "monitoring")
