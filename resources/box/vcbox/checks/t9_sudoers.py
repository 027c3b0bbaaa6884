"""sudo reads all of its rules; with one that is wrong it lets nobody become root."""

from vcbox.checks import config_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t9_sudoers", "sudo's rules are valid", "roles", 1


def gather(look: Look) -> Raw:
    return config_look.first_bad(look, ("visudo", "-c"))


def judge(raw: Raw, profile: Profile) -> Result:
    return config_look.judge(
        raw, "visudo -c ends with 0", "Mend the file that it names, on the console if sudo refuses."
    )
