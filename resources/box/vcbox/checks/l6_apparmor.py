"""AppArmor is on, and no profile only complains but those that the distribution ships so: read from the kernel itself."""

import hashlib
from pathlib import Path

from vcbox.checks import driver_look, hardening_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_supported
from vcbox.parsers.hardening import complaining, parse_apparmor, parse_conffiles

ID, TITLE, LAYER = "l6_apparmor", "AppArmor enforces", 6
FOLDER = Path("/etc/apparmor.d")


def shipped(look: Look) -> list[str]:
    """Profiles that complain by a file that is as its package has it."""
    hashes = parse_conffiles(look.command("dpkg-query", "-W", "-f", "${Conffiles}\\n")["out"])
    names = []
    for path in sorted(FOLDER.glob("*")):
        text = path.read_bytes() if path.is_file() else b""
        if hashes.get(str(path)) == hashlib.md5(text, usedforsecurity=False).hexdigest():
            names += complaining(text.decode(errors="replace"))
    return names


def gather(look: Look) -> Raw:
    return {
        "on": (look.read("/sys/module/apparmor/parameters/enabled") or "").strip(),
        "container": driver_look.in_container(look),
        "profiles": look.read("/sys/kernel/security/apparmor/profiles"),
        "boot": look.command("systemctl", "is-enabled", "apparmor.service")["out"].strip(),
        "shipped": shipped(look),
        "files": [
            n
            for p in sorted(FOLDER.glob("*"))
            if p.is_file()
            for n in complaining(p.read_text(errors="replace"))
        ],
    }


def judge(raw: Raw, profile: Profile) -> Result:
    want = "on, enforcing, loaded at boot"
    # What is on disk counts everywhere; what the kernel does with it, where it can be seen.
    modes = parse_apparmor(raw["profiles"] or "")
    weak = [n for n in raw["files"] if n not in raw["shipped"]]
    weak += [
        n
        for n, mode in modes.items()
        if mode == "complain" and n.split("//")[0] not in [*raw["shipped"], *weak]
    ]
    wrong = [f"only complains: {', '.join(weak)}"] if weak else []
    wrong += [] if raw["boot"] == "enabled" else [f"apparmor.service is {raw['boot'] or 'not there'}"]
    seen = raw["on"] == "Y" and raw["profiles"] is not None
    if not seen and raw["container"] and not wrong:
        return not_supported("a container has no AppArmor of its own that could be looked at")
    if not seen and not raw["container"]:
        wrong.append("it is off in the kernel" if raw["on"] != "Y" else "the kernel's list cannot be read")
    enforcing = [n for n, mode in modes.items() if mode == "enforce"]
    wrong += ["no profile is enforced"] if seen and not enforcing else []
    value = (
        "; ".join(wrong)[:500]
        or f"{len(enforcing)} profiles enforced, {len(raw['shipped'])} complain as shipped"
    )
    return judged(not wrong, value, want, hardening_look.AGAIN, evidence=raw["profiles"])
