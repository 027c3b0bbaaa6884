"""sshd admits the administrator and nobody else."""

from vcbox.checks import sshd_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, LAYER = "l1_sshd_allowusers", "sshd: only the administrator logs in", 1


def gather(look: Look) -> Raw:
    return sshd_look.gather(look)


def judge(raw: Raw, profile: Profile) -> Result:
    return sshd_look.judge_setting(raw, "allowusers", sshd_look.admin(profile))
