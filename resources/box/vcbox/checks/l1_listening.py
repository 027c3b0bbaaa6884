"""Only SSH listens where others can reach it (TCP). What Docker publishes is the DOCKER-USER check's concern."""

from vcbox.checks.base import Look, Profile, Raw, Result, box_value, error, judged, said
from vcbox.parsers.system import is_loopback, parse_ss

ID, TITLE, LAYER = "l1_listening", "Only SSH listens to the network", 1


def gather(look: Look) -> Raw:
    return look.command("ss", "-Hltnp")


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["status"]:
        return error(f"ss: {said(raw)}", "Install iproute2.")
    port = box_value(profile, "sshPort")
    others = [
        s
        for s in parse_ss(raw["out"])
        if not is_loopback(s["address"]) and s["port"] != port and s["process"] != "docker-proxy"
    ]
    text = ", ".join(sorted({f"{s['port']} ({s['process'] or 'unknown program'})" for s in others}))
    advice = "Stop what listens, or bind it to loopback: `ss -ltnp` names it."
    return judged(not others, text or f"only {port}", f"only {port}/tcp", advice, evidence=raw["out"])
