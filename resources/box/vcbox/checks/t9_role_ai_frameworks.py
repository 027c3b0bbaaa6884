"""A second run of the role ai_frameworks changes nothing."""

from vcbox.checks import role_look
from vcbox.checks.base import Look, Raw

ID, TITLE, SUITE, NEEDS = "t9_role_ai_frameworks", "AI frameworks: a second run changes nothing", "roles", 4
judge = role_look.judge


def gather(look: Look) -> Raw:
    return role_look.gather(look, "ai_frameworks")
