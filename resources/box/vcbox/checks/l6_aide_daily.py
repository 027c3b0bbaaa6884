"""AIDE compares every day: its timer runs, and its last comparison is fresh and came to its end."""

import os
import time

from vcbox.checks.base import Look, Profile, Raw, Result, judged
from vcbox.checks.hardening_look import AGAIN

ID, TITLE, LAYER = "l6_aide_daily", "AIDE compares every day", 6
UNIT = "dailyaidecheck"
LOG = "/var/log/aide/aide.log"
# The timer has a spread of hours, and a box may have been off for a night.
FRESH_DAYS = 2.5
DAY = 86_400.0


def when(path: str) -> float | None:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return None


def gather(look: Look) -> Raw:
    state = {
        word: look.command("systemctl", word, f"{UNIT}.timer")["out"].strip()
        for word in ("is-enabled", "is-active")
    }
    return {
        **state,
        "failed": look.command("systemctl", "is-failed", f"{UNIT}.service")["status"] == 0,
        "compared": when(LOG),
        "database": when("/var/lib/aide/aide.db"),
        "now": time.time(),
    }


def judge(raw: Raw, profile: Profile) -> Result:
    want = f"timer on, compared within {FRESH_DAYS} days"
    if raw["is-enabled"] != "enabled" or raw["is-active"] != "active":
        return judged(
            False, f"{UNIT}.timer: {raw['is-enabled'] or 'not there'}, {raw['is-active'] or '?'}", want, AGAIN
        )
    advice = f"Look why: journalctl -u {UNIT}; then systemctl start {UNIT}."
    if raw["failed"]:
        return judged(False, f"the last run of {UNIT} failed", want, advice)
    # A box that was just hardened has not had a night yet.
    last = max((t for t in (raw["compared"], raw["database"]) if t is not None), default=None)
    days = None if last is None else (raw["now"] - last) / DAY
    value = (
        "never compared"
        if days is None
        else f"{days:.1f} days ago"
        if raw["compared"]
        else f"database made {days:.1f} days ago"
    )
    return judged(days is not None and days <= FRESH_DAYS, value, want, advice)
