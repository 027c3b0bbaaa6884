"""A second run of the role ssh_forwarding changes nothing."""

from vcbox.checks import role_look
from vcbox.checks.base import Look, Raw

ID, TITLE, SUITE, NEEDS = (
    "t9_role_ssh_forwarding",
    "SSH forwarding closed: a second run changes nothing",
    "roles",
    6,
)
judge = role_look.judge


def gather(look: Look) -> Raw:
    return role_look.gather(look, "ssh_forwarding")
