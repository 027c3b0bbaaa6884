"""fail2ban's live numbers for sshd: how many failures, in which time, and for how long an address is banned."""

from vcbox.checks.base import Look, Profile, Raw, Result, box_value, judged, said

ID, TITLE, LAYER = "l1_fail2ban_limits", "fail2ban bans after five failures for ten minutes", 1
NAMES = ("maxretry", "findtime", "bantime")


def gather(look: Look) -> Raw:
    return {name: look.command("fail2ban-client", "get", "sshd", name) for name in NAMES}


def judge(raw: Raw, profile: Profile) -> Result:
    retry, seconds = box_value(profile, "banMaxRetry"), box_value(profile, "banSeconds")
    want = {"maxretry": retry, "findtime": seconds, "bantime": seconds}
    text = ", ".join(f"{k} {v}" for k, v in want.items())
    for name in NAMES:
        if raw[name]["status"]:
            return judged(
                False,
                f"{name}: {said(raw[name])}",
                text,
                "Look at `journalctl -u fail2ban`, then run layer 1 again.",
            )
    found = {name: raw[name]["out"].strip() for name in NAMES}
    good = all(found[name] == str(want[name]) for name in NAMES)
    return judged(good, ", ".join(f"{k} {v}" for k, v in found.items()), text, "Run layer 1 again.")
