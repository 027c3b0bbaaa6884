"""The administrator exists with the expected UID and a shell that logs in."""

import re

from vcbox.checks.base import Look, Profile, Raw, Result, box_value, judged

ID, TITLE, LAYER = "l1_admin_user", "The administrator's account", 1


def gather(look: Look) -> Raw:
    return look.command("getent", "passwd")


def judge(raw: Raw, profile: Profile) -> Result:
    name, uid = box_value(profile, "adminUser"), box_value(profile, "adminUid")
    line = next((x for x in raw["out"].splitlines() if x.startswith(f"{name}:")), None)
    want = f"{name}, a login shell" + (f", UID {uid}" if uid is not None else "")
    if not line:
        return judged(False, f"no user {name}", want, "Run the step Keys, which creates the administrator.")
    cells = line.split(":")
    shell, found = cells[6], int(cells[2])
    good = not re.search(r"(nologin|false)$", shell) and bool(shell) and uid in (None, found)
    advice = f"Swap the UIDs in the step Keys, or keep UID {found} as a deviation; set the shell with chsh."
    return judged(good, f"UID {found}, {shell or 'no shell'}", want, advice, evidence=line)
