"""sshd is configured for the one port."""

from vcbox.checks import sshd_look
from vcbox.checks.base import Look, Profile, Raw, Result, box_value

ID, TITLE, LAYER = "l1_sshd_port", "sshd: port", 1


def gather(look: Look) -> Raw:
    return sshd_look.gather(look)


def judge(raw: Raw, profile: Profile) -> Result:
    return sshd_look.judge_setting(raw, "port", str(box_value(profile, "sshPort")))
