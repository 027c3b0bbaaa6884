"""fail2ban takes its configuration, and its server answers."""

from vcbox.checks import config_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = (
    "t9_fail2ban_config",
    "fail2ban would start with its configuration, and answers",
    "roles",
    1,
)


def gather(look: Look) -> Raw:
    return config_look.first_bad(look, ("fail2ban-client", "-t"), ("fail2ban-client", "ping"))


def judge(raw: Raw, profile: Profile) -> Result:
    return config_look.judge(
        raw,
        "fail2ban-client -t and ping end with 0",
        "Look at `journalctl -u fail2ban`, then run layer 1 again.",
    )
