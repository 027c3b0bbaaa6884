"""No key opens a session as root, also where a Match block would allow it."""

from vcbox.checks import sshd_look
from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, said
from vcbox.parsers.system import parse_sshd

ID, TITLE, LAYER = "l1_root_login", "root cannot log in with a key", 1


def gather(look: Look) -> Raw:
    cases = {}
    for address in ("192.0.2.1", "127.0.0.1"):
        cases[address] = look.command(
            "/usr/sbin/sshd", "-T", "-C", f"user=root,host=example.invalid,addr={address}"
        )
    keys = look.read("/root/.ssh/authorized_keys") or ""
    count = sum(1 for line in keys.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return {"cases": cases, "keys": count}


def judge(raw: Raw, profile: Profile) -> Result:
    want = "permitrootlogin no"
    for address, case in raw["cases"].items():
        if case["status"]:
            return error(f"sshd -T: {said(case)}", "Mend the line that sshd names, then run hardening again.")
        found = parse_sshd(case["out"]).get("permitrootlogin", ["not set"])
        if found != ["no"]:
            value = f"permitrootlogin {found[-1]} for root from {address}; {raw['keys']} keys in its file"
            return judged(False, value, want, sshd_look.AGAIN)
    return judged(True, f"refused; {raw['keys']} keys in root's file", want, "")
