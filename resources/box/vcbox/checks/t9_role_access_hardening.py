"""A second run of the role access_hardening changes nothing."""

from vcbox.checks import role_look
from vcbox.checks.base import Look, Raw

ID, TITLE, SUITE, NEEDS = (
    "t9_role_access_hardening",
    "Access hardening: a second run changes nothing",
    "roles",
    1,
)
judge = role_look.judge


def gather(look: Look) -> Raw:
    return role_look.gather(look, "access_hardening")
