"""The kernel holds the audit rules, both for 64-bit and 32-bit programs."""

from vcbox.checks import hardening_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, said
from vcbox.parsers.hardening import parse_audit_rules

ID, TITLE, LAYER = "l6_audit_rules", "Audit rules are in force", 6
# What ansible/roles/extended_hardening has in its rules: paths by key, and keys of system calls. A test keeps the two the same.
PATHS = {
    "MAC-policy": ["/etc/apparmor", "/etc/apparmor.d"],
    "identity": [
        "/etc/group",
        "/etc/gshadow",
        "/etc/nsswitch.conf",
        "/etc/pam.d",
        "/etc/passwd",
        "/etc/security/opasswd",
        "/etc/shadow",
    ],
    "logins": ["/run/faillock", "/var/log/lastlog"],
    "scope": ["/etc/sudoers", "/etc/sudoers.d"],
    "session": ["/run/utmp", "/var/log/btmp", "/var/log/wtmp"],
    "sshd": ["/etc/ssh"],
    "system-locale": ["/etc/hostname", "/etc/hosts", "/etc/issue", "/etc/issue.net"],
    "time-change": ["/etc/localtime"],
}
# Each of them has a rule of its own once it is there.
IF_THERE = {
    "docker": ["/etc/docker"],
    "system-locale": ["/etc/netplan", "/etc/systemd/network"],
    "vault-cube": ["/etc/vault-cube"],
}
KEYS = [
    "access",
    "delete",
    "kernel_modules",
    "mounts",
    "perm_mod",
    "privileged",
    "system-locale",
    "time-change",
    "user_emulation",
]
ARCHES = ("b64", "b32")


def gather(look: Look) -> Raw:
    return hardening_look.audit(look, "-l")


def missing(text: str) -> list[str]:
    rules = parse_audit_rules(text)
    watched = {(r.get("arch"), r.get("key"), r.get("path")) for r in rules}
    called = {(r.get("arch"), r.get("key")) for r in rules if "path" not in r or r.get("key") == "privileged"}
    paths = [(key, path) for key, all in PATHS.items() for path in all]
    # A rule without an architecture is for both.
    found = [
        f"{path} ({key}, {a})"
        for key, path in paths
        for a in ARCHES
        if not {(a, key, path), (None, key, path)} & watched
    ]
    return found + [f"{key} ({a})" for key in KEYS for a in ARCHES if not {(a, key), (None, key)} & called]


def judge(raw: Raw, profile: Profile) -> Result:
    none = hardening_look.no_audit(raw)
    if none:
        return none
    want = "every rule of layer 6"
    if raw["told"]["status"]:
        return judged(False, said(raw["told"]), want, hardening_look.AGAIN)
    lacks = missing(raw["told"]["out"])
    value = f"missing: {', '.join(lacks)}"[:500] if lacks else f"{len(raw['told']['out'].splitlines())} rules"
    return judged(not lacks, value, want, hardening_look.AGAIN, evidence=raw["told"]["out"])
