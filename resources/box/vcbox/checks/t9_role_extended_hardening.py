"""A second run of the role extended_hardening changes nothing."""

from vcbox.checks import role_look
from vcbox.checks.base import Look, Raw

ID, TITLE, SUITE, NEEDS = (
    "t9_role_extended_hardening",
    "Extended hardening: a second run changes nothing",
    "roles",
    6,
)
judge = role_look.judge


def gather(look: Look) -> Raw:
    return role_look.gather(look, "extended_hardening")
