"""Ansible answers, from the place where layer 0 put it."""

from vcbox.checks.base import Look, Profile, Raw, Result, judged, said

ID, TITLE, LAYER = "l0_ansible", "Ansible on the box answers", 0


def gather(look: Look) -> Raw:
    return look.command("/opt/vault-cube/ansible/bin/ansible", "--version", timeout=60)


def judge(raw: Raw, profile: Profile) -> Result:
    first = raw["out"].splitlines()[0] if raw["out"].strip() else None
    good = raw["status"] == 0 and bool(first) and "[core " in str(first)
    return judged(
        good, first if good else said(raw), "ansible [core …]", "Run layer 0 again.", evidence=raw["out"]
    )
