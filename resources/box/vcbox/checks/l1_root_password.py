"""root has no password that works."""

from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, said

ID, TITLE, LAYER = "l1_root_password", "root's password is locked", 1
WORDS = {"L": "locked", "P": "a password is set", "NP": "EMPTY password"}


def gather(look: Look) -> Raw:
    return look.command("passwd", "-S", "root")


def judge(raw: Raw, profile: Profile) -> Result:
    words = raw["out"].split()
    if raw["status"] or len(words) < 2:
        return error(f"passwd -S root: {said(raw)}", "Look at /etc/shadow on the console.")
    return judged(
        words[1] == "L", WORDS.get(words[1], words[1]), "locked", "passwd -l root, or run hardening again."
    )
