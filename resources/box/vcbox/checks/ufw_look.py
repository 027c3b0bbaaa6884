"""The firewall's status, looked at once for the checks that share it. Not a check itself."""

from vcbox.checks.base import Look, Raw, Result, judged, said
from vcbox.parsers.iptables import chain_policy, chain_rules
from vcbox.parsers.ufw import parse_status

AGAIN = "Run hardening again."
TOOLS = {"iptables": "ufw-before-input", "ip6tables": "ufw6-before-input"}


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


def around(look: Look) -> Raw:
    """The kernel's own rules: ufw's status tells what its files say, whatever has been done to the kernel since."""
    return {tool: look.command(f"{tool}-save", "-t", "filter") for tool in TOOLS}


def way_in(raw: Raw) -> list[str]:
    """Ways past the firewall into the box, in words."""
    wrong = []
    for tool, chain in TOOLS.items():
        rules = chain_rules(raw[tool]["out"], "INPUT") or []
        policy = chain_policy(raw[tool]["out"], "INPUT")
        if policy != "DROP":
            wrong.append(f"{tool}: INPUT's policy is {policy or 'not shown'}")
        if ["-j", chain] not in rules:
            wrong.append(f"{tool}: INPUT does not go through {chain}")
        wrong += [f"{tool}: INPUT {' '.join(rule)}" for rule in rules if rule[-2:] == ["-j", "ACCEPT"]]
    return wrong


def is_open(rule: Raw, port: int, v6: bool) -> bool:
    """Whether the rule lets everybody reach the port, over the one IP version."""
    suffix = " (v6)" if v6 else ""
    return rule == {"to": f"{port}/tcp{suffix}", "action": "ALLOW IN", "from": f"Anywhere{suffix}"}
