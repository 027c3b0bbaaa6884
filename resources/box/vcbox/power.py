"""A lowered power limit of the cards, for as long as a job runs: set, recorded on the box, and put back whoever ends the job.

The record `<state>/power-limit.json` tells what each card had before. It is written before anything is set, and goes when all of it is as it
was. The job puts it back at its end; its supervisor does so after a cancel and where the runner was killed; the next job on the box does so where
both were. A start of the machine takes limits back by itself: nvidia-smi's are not kept.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vcbox import process
from vcbox.context import Context, JobFailed
from vcbox.parsers.nvidia_smi import cell_value, parse_csv_row

FIELDS = ("uuid", "power.limit")
# A card without persistence takes seconds to wake.
ANSWER_SECONDS = 60.0
ROUNDING_W = 1.0
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class PowerError(Exception):
    """nvidia-smi did not do or tell what was asked, in its own words."""


def smi(*words: str) -> str:
    status, out, err = process.capture(["nvidia-smi", *words], ANSWER_SECONDS, {"LC_ALL": "C.UTF-8"})
    if status:
        raise PowerError(f"nvidia-smi: {(err.strip() or out.strip() or f'exit status {status}')[:300]}")
    return out


def limits() -> dict[str, float]:
    """The power limit of each card in W, by UUID. Raises PowerError where a card tells none."""
    found: dict[str, float] = {}
    for line in smi("--query-gpu=" + ",".join(FIELDS), "--format=csv,noheader,nounits").splitlines():
        uuid, *rest = parse_csv_row(line)
        watts = cell_value(rest[0]) if len(rest) == 1 else None
        if not isinstance(watts, int | float):
            raise PowerError(f"card {uuid} tells no power limit")
        found[uuid] = float(watts)
    if not found:
        raise PowerError("nvidia-smi lists no card")
    return found


def put(wanted: dict[str, float]) -> None:
    """Sets each card's limit, and reads all of them back."""
    for uuid, watts in wanted.items():
        smi("-i", uuid, "-pl", f"{watts:g}")
    now = limits()
    for uuid, watts in wanted.items():
        if abs(now.get(uuid, -1) - watts) > ROUNDING_W:
            raise PowerError(f"card {uuid} has {now.get(uuid)} W where {watts:g} W were set")


def record_of(state: Path) -> Path:
    return state / "power-limit.json"


def recorded(state: Path) -> dict[str, float] | None:
    """What is to be put back; None where nothing is, or the machine was started since."""
    try:
        found = json.loads(record_of(state).read_text())
        if found["boot"] != BOOT_ID.read_text().strip():
            record_of(state).unlink()
            return None
        return {str(uuid): float(watts) for uuid, watts in found["before"].items()}
    except FileNotFoundError:
        return None


def restore(state: Path) -> str | None:
    """Puts back what is recorded. What was done, or why it was not, in a sentence; None where nothing is recorded."""
    try:
        before = recorded(state)
        if before is None:
            return None
        put(before)
        record_of(state).unlink(missing_ok=True)
    except (PowerError, OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        return f"the power limit is NOT as it was: {e}; the next job tries again, a reboot does it, too"
    return f"power limits are as they were: {', '.join(f'{w:g} W' for w in before.values())}"


def lower(state: Path, job: str, watts: float) -> dict[str, float]:
    """Records what the cards have, then sets all of them to `watts`. Never raises a limit. Returns what was before."""
    before = limits()
    if any(have < watts - ROUNDING_W for have in before.values()):
        had = ", ".join(f"{w:g} W" for w in before.values())
        raise PowerError(f"the cards are held to less already: {had}")
    record, fresh = record_of(state), record_of(state).with_suffix(".new")
    with open(fresh, "w") as f:
        json.dump({"job": job, "boot": BOOT_ID.read_text().strip(), "before": before, "watts": watts}, f)
        f.flush()
        os.fsync(f.fileno())
    fresh.replace(record)
    put(dict.fromkeys(before, watts))
    return before


@contextmanager
def lowered(ctx: Context, wanted: dict[str, Any] | None) -> Iterator[None]:
    """`wanted`: `{watts}` of each card, or None for full power. Raises JobFailed `power_limit_failed`; nothing runs then."""
    if not wanted:
        yield
        return
    watts, state = float(wanted["watts"]), ctx.paths.state
    try:
        with ctx.step("power-limit", f"Hold each card to {watts:g} W"):
            try:
                before = lower(state, str(ctx.spec["job"]), watts)
            except (PowerError, OSError) as e:
                raise JobFailed("power_limit_failed", str(e)) from e
            ctx.log.note(
                f"power limits before: {', '.join(f'{w:g} W' for w in before.values())}", ctx.step_id
            )
        yield
    finally:
        # After a cancel the supervisor ends every program of the job, so one of this process would be ended, too: it does it itself.
        if not ctx.cancelled() and (said := restore(state)):
            ctx.log.note(said, ctx.step_id)


def held_to(profile: dict[str, Any], wanted: dict[str, Any] | None) -> dict[str, Any]:
    """The profile with the limit that was agreed to: what is judged is whether the cards had that one."""
    if not wanted:
        return profile
    source = f"agreed to for this run, in place of {wanted.get('full', 'full')} W"
    limit = {"value": float(wanted["watts"]), "source": source}
    return {**profile, "gpu": {**(profile.get("gpu") or {}), "powerLimitW": limit}}
