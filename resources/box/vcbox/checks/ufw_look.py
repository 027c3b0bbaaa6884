"""The firewall's status, looked at once for the checks that share it. Not a check itself."""

from vcbox.checks.base import Look, Raw, Result, judged, said
from vcbox.parsers.ufw import parse_status

AGAIN = "Run hardening again."


def gather(look: Look) -> Raw:
    raw = dict(look.command("ufw", "status", "verbose"))
    raw["ufw"] = parse_status(raw["out"])
    return raw


def unusable(raw: Raw, want: str) -> Result | None:
    """The verdict where there is no active firewall to look at; None where there is."""
    if raw["status"] or raw["ufw"]["active"] is None:
        return judged(
            False, said(raw), want, "Install ufw: run layer 1, then hardening.", evidence=raw["out"]
        )
    if not raw["ufw"]["active"]:
        return judged(False, "the firewall is inactive", want, AGAIN, evidence=raw["out"])
    return None


def is_ssh(rule: Raw, port: int, v6: bool) -> bool:
    """Whether the rule lets everybody reach SSH, over the one IP version."""
    suffix = " (v6)" if v6 else ""
    return rule == {"to": f"{port}/tcp{suffix}", "action": "ALLOW IN", "from": f"Anywhere{suffix}"}
