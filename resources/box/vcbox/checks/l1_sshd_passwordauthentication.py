"""sshd takes no passwords."""

from vcbox.checks import sshd_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, LAYER = "l1_sshd_passwordauthentication", "sshd: no passwords", 1


def gather(look: Look) -> Raw:
    return sshd_look.gather(look)


def judge(raw: Raw, profile: Profile) -> Result:
    return sshd_look.judge_setting(raw, "passwordauthentication", "no")
