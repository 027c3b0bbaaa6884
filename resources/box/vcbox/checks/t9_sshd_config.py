"""sshd takes its configuration: a reload that does not would lock everybody out."""

from vcbox.checks import config_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t9_sshd_config", "sshd would start with its configuration", "roles", 1


def gather(look: Look) -> Raw:
    return config_look.first_bad(look, ("sshd", "-t"))


def judge(raw: Raw, profile: Profile) -> Result:
    return config_look.judge(
        raw, "sshd -t ends with 0", "Mend what it names below /etc/ssh, then run hardening again."
    )
