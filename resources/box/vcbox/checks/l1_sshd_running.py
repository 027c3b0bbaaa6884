"""sshd runs, at boot too, and holds its port."""

from vcbox.checks.base import Look, Profile, Raw, Result, box_value, judged
from vcbox.parsers.system import is_loopback, parse_ss

ID, TITLE, LAYER = "l1_sshd_running", "sshd runs and starts at boot", 1


def gather(look: Look) -> Raw:
    return {
        "enabled": look.command("systemctl", "is-enabled", "ssh.service")["out"].strip(),
        "active": look.command("systemctl", "is-active", "ssh.service")["out"].strip(),
        "sockets": look.command("ss", "-Hltnp"),
    }


def judge(raw: Raw, profile: Profile) -> Result:
    port = box_value(profile, "sshPort")
    open_to_all = [
        s for s in parse_ss(raw["sockets"]["out"]) if s["port"] == port and not is_loopback(s["address"])
    ]
    listens = [s for s in open_to_all if s["process"] in ("sshd", None)]
    value = f"{raw['enabled'] or '?'}, {raw['active'] or '?'}, " + (
        "listens" if listens else f"does not listen on {port}"
    )
    good = raw["enabled"] == "enabled" and raw["active"] == "active" and bool(listens)
    advice = "Use the console: systemctl enable --now ssh; then run hardening again."
    return judged(good, value, f"enabled, active, listens on {port}", advice, evidence=raw["sockets"]["out"])
