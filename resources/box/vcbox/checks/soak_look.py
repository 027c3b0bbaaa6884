"""The soak of T7: run on the box for as long as the profile or the job says, gone on with after a break. Not a check itself.

A checkpoint beside the attempts of the job tells what earlier ones did: a soak that a power cut broke off goes on for the time that
is left, and says that it was in parts. Telemetry of earlier parts is in their own event logs.
"""

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from vcbox.checks import load_look, window_look
from vcbox.checks.base import Look, Profile, Raw, Result, not_run
from vcbox.telemetry import FIELDS

SUITE = "stress"
ADVICE = "Look at the kernel log and the telemetry at that time; run suites T1 and T6, then this one again."
KEYS = ("matrix", "memoryFraction")
KEPT_EVERY_SECONDS = 10.0
# A card's row each so many seconds is enough for a day; reasons in between are kept.
ROW_SECONDS = 1.0
DAY_SECONDS = 86400.0
WORST = ("fail", "error", "not_run", "not_supported", "warn", "pass")
COUNTS = ("rounds", "products", "checkedMiB", "wrongProducts", "wrongWords")


class Checkpoint:
    """What was done so far, of all parts; None for a command by hand, which has no second attempt."""

    def __init__(self, path: Path | None, attempt: int) -> None:
        self.path, self.attempt = path, attempt
        self.parts: list[dict[str, Any]] = []
        self.kept = 0.0
        if path is None:
            return
        try:
            found = json.loads(path.read_text())
            self.parts = [p for p in found["parts"] if p["attempt"] < attempt]
        except (OSError, ValueError, KeyError, TypeError):
            self.parts = []

    def done(self) -> float:
        return sum(float(p["seconds"]) for p in self.parts)

    def now(self, part: dict[str, Any], *, last: bool = False) -> None:
        """Keeps this attempt's part, at most each KEPT_EVERY_SECONDS; a kill leaves the last whole one."""
        if self.path is None or (not last and time.monotonic() - self.kept < KEPT_EVERY_SECONDS):
            return
        self.kept = time.monotonic()
        fresh = self.path.with_suffix(".new")
        with open(fresh, "w") as f:
            json.dump({"parts": [*self.parts, {**part, "attempt": self.attempt}]}, f)
            f.flush()
            os.fsync(f.fileno())
        fresh.replace(self.path)


def checkpoint_of(look: Look) -> Checkpoint:
    if look.hands is None:
        return Checkpoint(None, 1)
    ctx = look.hands.ctx
    return Checkpoint(ctx.folder.parent / "soak.json", int(ctx.spec["attempt"]))


def profile_seconds(profile: Profile) -> float:
    return float(load_look.setting(profile, "soak", "seconds", default=DAY_SECONDS))


def rows_of(log: Path, begin: float, end: float) -> list[list[Any]]:
    """Telemetry of an earlier part, from its event log; a torn last line is none."""
    found: list[list[Any]] = []
    try:
        with open(log, "rb") as f:
            for line in f:
                if b'"kind":"samples"' not in line or not line.endswith(b"\n"):
                    continue
                event = json.loads(line)
                if event.get("fields") == list(FIELDS):
                    found += [row for row in event["rows"] if begin <= row[0] <= end]
    except (OSError, ValueError):
        return found
    return found


def gather(look: Look) -> Raw:
    """`{refused, smi, gpus, wanted, run, parts: [{seconds, cards, rows}]}`; the last part is this run's."""

    def run(gpus: int) -> Raw:
        assert look.bench
        point, wanted = checkpoint_of(look), look.soak_seconds or profile_seconds(look.profile)
        left = max(wanted - point.done(), 1.0)
        given = {**load_look.settings(look.profile, "soak", *KEYS), "seconds": left}
        part: dict[str, Any] = {"seconds": 0.0, "begin": None, "end": None, "cards": {}}

        def record(found: dict[str, Any]) -> None:
            now = time.monotonic()
            if found["at"] == "begin":
                part["begin"] = now
            elif found["at"] == "progress":
                part["seconds"], part["end"] = float(found["done"]), now
            elif found["at"] in ("round", "failed", "measured") and "gpu" in found:
                part["cards"][str(found["gpu"])] = {name: found[name] for name in COUNTS}
                point.now(part)

        program = load_look.program(look, "torch", "soak", json.dumps(given))
        done = look.bench.run(program, record, ROW_SECONDS)
        point.now(part, last=True)
        window = done["windows"].get("soak")
        earlier = [
            {
                **p,
                "rows": rows_of(point.path.parent / str(p["attempt"]) / "events.jsonl", p["begin"], p["end"]),
            }
            for p in point.parts
            if point.path and p["begin"] is not None and p["end"] is not None
        ]
        rows = window["rows"] if window else []
        return {"gpus": gpus, "wanted": wanted, "run": done, "parts": [*earlier, {**part, "rows": rows}]}

    return load_look.gather(look, "soak", run)


def stop(raw: Raw) -> Result | None:
    return load_look.stop(raw)


def total(raw: Raw, name: str, gpu: int) -> int:
    return sum(part["cards"].get(str(gpu), {}).get(name, 0) for part in raw["parts"])


def length(raw: Raw) -> float:
    return sum(part["seconds"] for part in raw["parts"])


def minutes(rows: list[list[Any]], field: str, gpu: int) -> list[float]:
    """The field's mean of each minute of one card, in order; minutes without a sample are left out."""
    place = 2 + FIELDS.index(field)
    sums: dict[int, list[float]] = {}
    for row in rows:
        if row[1] == gpu and row[place] is not None:
            sums.setdefault(int((row[0] - rows[0][0]) // 60), []).append(row[place])
    return [sum(values) / len(values) for _, values in sorted(sums.items())]


def in_hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min"


def whole(raw: Raw, found: Result) -> Result:
    """A pass is of a soak that came to its end; where it broke off, nothing more is said than that nothing was wrong until then."""
    why = raw["run"]["why"]
    if why is None or found.verdict != "pass":
        return found
    reason = f"until the soak broke off after {in_hours(length(raw))} nothing was wrong ({found.value}): {why}"
    return replace(found, verdict="not_run", reason=reason[:400], next=ADVICE)


def ruled(rule: str, raw: Raw, profile: Profile) -> Result:
    """The rule on every part's telemetry: the worst decides."""
    if found := stop(raw):
        return found
    window = last_window(raw)
    if isinstance(window, Result):
        return window
    target = bool(load_look.setting(profile, "soak", "toTarget", default=False))
    results = [
        window_look.judge(
            rule, {**part, "end": part["end"] or 0}, list(FIELDS), profile, raw["gpus"], to_target=target
        )
        for part in raw["parts"]
    ]
    worst = next((r for verdict in WORST for r in results if r.verdict == verdict), results[-1])
    return whole(raw, worst)


def last_window(raw: Raw) -> Raw | Result:
    """The newest part's rows as a window of load.py; not_run where it never began."""
    part = raw["parts"][-1]
    if part["begin"] is None:
        return not_run(f"the soak never began: {raw['run']['why']}"[:400], ADVICE)
    return {"begin": part["begin"], "end": part["end"] or part["begin"], "rows": part["rows"]}
