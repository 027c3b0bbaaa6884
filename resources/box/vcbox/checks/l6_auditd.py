"""The kernel records and auditd writes it down, at boot too."""

from vcbox.checks import hardening_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, said
from vcbox.parsers.hardening import parse_audit_status

ID, TITLE, LAYER = "l6_auditd", "auditd records, and starts at boot", 6


def gather(look: Look) -> Raw:
    unit = look.command("systemctl", "is-enabled", "auditd.service")
    return {**hardening_look.audit(look, "-s"), "enabled": unit["out"].strip()}


def judge(raw: Raw, profile: Profile) -> Result:
    none = hardening_look.no_audit(raw)
    if none:
        return none
    want = "recording, a daemon, enabled at boot"
    if raw["told"]["status"]:
        return judged(False, said(raw["told"]), want, hardening_look.AGAIN)
    status = parse_audit_status(raw["told"]["out"])
    wrong = [] if status.get("enabled") in ("1", "2") else ["the kernel does not record"]
    wrong += ["no daemon takes the records"] if status.get("pid", "0") == "0" else []
    wrong += [] if raw["enabled"] == "enabled" else [f"auditd.service is {raw['enabled'] or 'not there'}"]
    lost = status.get("lost", "0")
    value = (
        "; ".join(wrong)
        or f"recording{', rules locked' if status['enabled'] == '2' else ''}, {lost} records lost"
    )
    return judged(not wrong, value, want, hardening_look.AGAIN, evidence=raw["told"]["out"])
