"""sudo is the administrator's way to root, and it asks for the password."""

import re

from vcbox.checks.base import Look, Profile, Raw, Result, box_value, judged, said
from vcbox.parsers.system import parse_sudo_list

ID, TITLE, LAYER = "l1_sudo_password", "sudo asks the administrator for a password", 1


def gather(look: Look) -> Raw:
    raw = look.command("sudo", "-n", "-l", "-U", look.admin)
    shadow = look.command("passwd", "-S", look.admin)
    return {"list": raw, "password": shadow}


def judge(raw: Raw, profile: Profile) -> Result:
    want = "a rule for all commands, with password"
    rules = parse_sudo_list(raw["list"]["out"])
    evidence = raw["list"]["out"]
    name = box_value(profile, "adminUser")
    if raw["list"]["status"] or not rules:
        value = f"no sudo rule for {name}: {said(raw['list'])}"[:300]
        return judged(
            False, value, want, f"Add {name} to the group sudo: run layer 1 again.", evidence=evidence
        )
    free = [r for r in rules if "NOPASSWD" in r] + re.findall(r"!\s*authenticate", evidence)
    if free:
        advice = "Take NOPASSWD out of /etc/sudoers and /etc/sudoers.d: run hardening again."
        return judged(False, f"without password: {free[0]}", want, advice, evidence=evidence)
    if not any(r.startswith("(ALL") and r.endswith(" ALL") for r in rules):
        return judged(False, f"only {rules[0]}", want, "Run layer 1 again.", evidence=evidence)
    state = (raw["password"]["out"].split() + ["?", "?"])[1]
    if state != "P":
        advice = "Set the sudo password in the step Keys."
        return judged(
            False, f"{name} has no usable password (state {state})", want, advice, evidence=evidence
        )
    return judged(True, rules[-1], want, "", evidence=evidence)
