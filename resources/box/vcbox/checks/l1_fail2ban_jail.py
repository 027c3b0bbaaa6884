"""fail2ban runs, at boot too, and watches sshd."""

from vcbox.checks.base import Look, Profile, Raw, Result, judged, said

ID, TITLE, LAYER = "l1_fail2ban_jail", "fail2ban watches sshd", 1


def gather(look: Look) -> Raw:
    return {
        "enabled": look.command("systemctl", "is-enabled", "fail2ban.service"),
        "jail": look.command("fail2ban-client", "status", "sshd"),
    }


def judge(raw: Raw, profile: Profile) -> Result:
    enabled, jail = raw["enabled"]["out"].strip(), raw["jail"]
    want = "jail sshd up, service enabled"
    if jail["status"]:
        return judged(False, said(jail), want, "Look at `journalctl -u fail2ban`, then run layer 1 again.")
    advice = "systemctl enable fail2ban, or run layer 1 again."
    return judged(
        enabled == "enabled", f"jail up, service {enabled or '?'}", want, advice, evidence=jail["out"]
    )
