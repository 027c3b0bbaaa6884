"""The firewall's files load as they lie there, so that it comes back after a boot."""

from vcbox.checks.base import Look, Profile, Raw, Result, judged, said

ID, TITLE, SUITE, NEEDS = "t9_firewall_rules", "The firewall's files load", "roles", 1
TOOLS = {"iptables-restore": "", "ip6tables-restore": "6"}
PARTS = ("before", "user", "after")


def gather(look: Look) -> Raw:
    # Only tried (--test): the kernel's rules stay as they are.
    return {
        path: look.command(tool, "--test", "--noflush", path)
        for tool, six in TOOLS.items()
        for part in PARTS
        for path in [f"/etc/ufw/{part}{six}.rules"]
    }


def judge(raw: Raw, profile: Profile) -> Result:
    wrong = [f"{path}: {said(tried)}" for path, tried in raw.items() if tried["status"]]
    value = "; ".join(wrong)[:1000] or f"{len(raw)} files load"
    return judged(not wrong, value, "all load", "Mend the file, or run hardening again.")
