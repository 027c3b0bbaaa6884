"""AIDE has a database to compare with, which nobody but root and AIDE can change."""

import os
import stat

from vcbox.checks.base import Look, Profile, Raw, Result, judged
from vcbox.checks.hardening_look import AGAIN

ID, TITLE, LAYER = "l6_aide_database", "AIDE's database is there", 6
PATH = "/var/lib/aide/aide.db"
EMPTY = 1000


def gather(look: Look) -> Raw:
    """`first`: how the file begins; AIDE's own is gzip."""
    try:
        s = os.stat(PATH)
        with open(PATH, "rb") as f:
            first = f.read(2).hex()
    except OSError as e:
        return {"why": e.strerror}
    return {
        "why": None,
        "size": s.st_size,
        "first": first,
        "open": bool(s.st_mode & (stat.S_IWGRP | stat.S_IWOTH)),
    }


def judge(raw: Raw, profile: Profile) -> Result:
    want = "a database, root's or AIDE's to write"
    if raw["why"]:
        return judged(False, f"{PATH}: {raw['why']}", want, AGAIN)
    if raw["size"] < EMPTY or raw["first"] != "1f8b":
        return judged(
            False, f"{PATH} is no database of AIDE's ({raw['size']} bytes)", want, f"Delete it; {AGAIN}"
        )
    return judged(
        not raw["open"],
        "others may write to it" if raw["open"] else f"{raw['size']} bytes",
        want,
        f"chmod 0600 {PATH}",
    )
