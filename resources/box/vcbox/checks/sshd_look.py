"""sshd's effective settings, looked at once for the checks that share it. Not a check itself."""

from vcbox.checks.base import Look, Profile, Raw, Result, box_value, error, judged, said, same_setting
from vcbox.parsers.system import parse_sshd

AGAIN = "Look for the keyword in /etc/ssh/sshd_config and /etc/ssh/sshd_config.d, then run hardening again."


def gather(look: Look) -> Raw:
    """Globally, and as a login of the administrator from outside would meet them (Match blocks)."""
    match = f"user={look.admin},host=example.invalid,addr=192.0.2.1"
    return {
        "global": look.command("/usr/sbin/sshd", "-T"),
        "login": look.command("/usr/sbin/sshd", "-T", "-C", match),
    }


def judge_setting(raw: Raw, keyword: str, want: str) -> Result:
    """Pass when the keyword has just this value in both looks."""
    for where in ("global", "login"):
        if raw[where]["status"]:
            return error(
                f"sshd -T: {said(raw[where])}", "Mend the line that sshd names, then run hardening again."
            )
    for where, place in (("global", ""), ("login", " for the administrator's login (a Match block)")):
        found = parse_sshd(raw[where]["out"]).get(keyword, [])
        if not same_setting(found, want):
            return judged(
                False, f"{keyword} {', '.join(found) or 'not set'}{place}", f"{keyword} {want}", AGAIN
            )
    return judged(True, f"{keyword} {want}", f"{keyword} {want}", "")


def admin(profile: Profile) -> str:
    return str(box_value(profile, "adminUser"))
