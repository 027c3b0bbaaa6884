"""sshd takes no keyboard-interactive answers, which are passwords by another name."""

from vcbox.checks import sshd_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, LAYER = "l1_sshd_kbdinteractiveauthentication", "sshd: no keyboard-interactive", 1


def gather(look: Look) -> Raw:
    return sshd_look.gather(look)


def judge(raw: Raw, profile: Profile) -> Result:
    return sshd_look.judge_setting(raw, "kbdinteractiveauthentication", "no")
