"""Rules on the telemetry of a measured window: vcbox.windows judges where it is there. The seam between load and rules. Not a check itself.

What is used of it: `Window(since, until, cards, busy, to_target)` and `judge(fields, rows, window, profile)`, which gives `findings` (each with
`kind`, `sentence`, `threshold`, `source`, `next`), the `kinds` that were judged, and of the others why not (`unjudged`).
"""

import importlib
from types import ModuleType
from typing import Any

from vcbox.checks.base import Profile, Raw, Result, judged, not_run, not_supported

AGAIN = "Run the suite again, with telemetry."
LEAST_ROWS = 5
# What each check looks for, in the words of vcbox.windows, and what it wants.
RULES = {
    "telemetry": (("vanished", "gap", "stale"), "every card is read all the time"),
    "power": (("power", "power_limit"), "power and power limit as the profile has them"),
    "throttle": (
        ("heat", "power_brake", "slowdown", "slow_clock"),
        "no slowing down but for the power limit",
    ),
    "link": (("link",), "the link of the profile"),
    "temperature": (("hot", "fan"), "as cool as the profile has it, with turning fans"),
}


def rules() -> ModuleType | None:
    try:
        return importlib.import_module("vcbox.windows")
    except ModuleNotFoundError:
        return None


def judge(
    rule: str, window: Raw | None, fields: list[str], profile: Profile, cards: int, *, to_target: bool = False
) -> Result:
    """The rule on the window's rows; not_run where there is no such window, or no telemetry of it."""
    if window is None or window["end"] is None:
        return not_run("the measured window has no end", "See the check of the program's end.")
    if stop := untold(window):
        return stop
    module: Any = rules()
    if module is None:
        return not_run(f"this version has no rules for telemetry ({rule})")
    span = module.Window(
        since=window["begin"], until=window["end"], cards=cards, busy=True, to_target=to_target
    )
    return said(rule, module.judge(fields, window["rows"], span, profile))


def said(rule: str, found: Any) -> Result:
    """What the rules found, as the verdict of one check."""
    kinds, want = RULES[rule]
    hits = [f for f in found.findings if f.kind in kinds]
    rest = [f"{kind}: {why}" for kind, why in found.unjudged.items() if kind in kinds]
    text = "\n".join([*(f"{f.kind}: {f.sentence} ({f.threshold})" for f in hits), *rest])
    if hits:
        value = "; ".join(f.sentence for f in hits)[:500]
        first = hits[0]
        return judged(False, value, first.threshold, first.next, source=first.source, evidence=text)
    done = [kind for kind in kinds if kind in found.kinds]
    if not done:
        return not_supported("; ".join(rest)[:500] or f"nothing tells of {rule}")
    value = f"nothing found: {', '.join(kind.replace('_', ' ') for kind in done)}"
    return judged(True, value, want, AGAIN, evidence=text or None)


def untold(window: Raw) -> Result | None:
    """not_run where telemetry told too little of a window."""
    cards = {row[1] for row in window["rows"]}
    if not cards:
        return not_run("no telemetry was taken meanwhile", AGAIN)
    # One that falls off the bus tells less than the others, which is a fault and no want of telemetry.
    most = max(sum(row[1] == card for row in window["rows"]) for card in cards)
    if most < LEAST_ROWS:
        return not_run(f"telemetry has {most} samples of a card in the measured window", AGAIN)
    return None


def column(window: Raw, fields: list[str], name: str) -> dict[int, list[float]]:
    """The values of a field by card, without those that the card did not tell."""
    place = 2 + fields.index(name)
    found: dict[int, list[Any]] = {}
    for row in window["rows"]:
        values = found.setdefault(row[1], [])
        if row[place] is not None:
            values.append(row[place])
    return found
