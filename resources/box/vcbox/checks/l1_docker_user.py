"""Ports that Docker publishes do not bypass the firewall: looked up in the kernel's rules, not in files."""

from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, said
from vcbox.parsers.iptables import chain_rules, drops_published

ID, TITLE, LAYER = "l1_docker_user", "Published container ports stay closed", 1


def gather(look: Look) -> Raw:
    return {tool: look.command(f"{tool}-save", "-t", "filter") for tool in ("iptables", "ip6tables")}


def judge(raw: Raw, profile: Profile) -> Result:
    wrong = []
    for tool, text in raw.items():
        if text["status"]:
            return error(f"{tool}-save: {said(text)}", "Install iptables: run layer 1 again.")
        rules = chain_rules(text["out"], "DOCKER-USER")
        forward = chain_rules(text["out"], "FORWARD") or []
        if rules is None:
            wrong.append(f"{tool}: no chain DOCKER-USER")
        elif not drops_published(rules):
            wrong.append(f"{tool}: DOCKER-USER lets published ports in")
        elif tool == "iptables" and ["-j", "DOCKER-USER"] not in forward:
            # For IPv6 older Docker makes no such rule: its proxy takes the packets, which ufw's input rules then see.
            wrong.append(f"{tool}: FORWARD does not go through DOCKER-USER; is Docker running?")
        if ["-j", "ACCEPT"] in forward:
            wrong.append(f"{tool}: FORWARD accepts everything")
    evidence = "\n".join(
        line for t in raw.values() for line in t["out"].splitlines() if "DOCKER-USER" in line
    )
    value = "; ".join(wrong) or "dropped, IPv4 and IPv6"
    return judged(not wrong, value, "dropped in DOCKER-USER", "Run hardening again.", evidence=evidence)
