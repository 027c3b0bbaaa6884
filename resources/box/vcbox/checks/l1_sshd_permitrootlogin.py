"""sshd admits no login as root."""

from vcbox.checks import sshd_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, LAYER = "l1_sshd_permitrootlogin", "sshd: no login for root", 1


def gather(look: Look) -> Raw:
    return sshd_look.gather(look)


def judge(raw: Raw, profile: Profile) -> Result:
    return sshd_look.judge_setting(raw, "permitrootlogin", "no")
