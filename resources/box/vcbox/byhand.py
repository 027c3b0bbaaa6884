"""What a command run by hand has in a job's place: output on the terminal instead of a log, Ctrl+C instead of a cancel, a question instead of the app's."""

import sys
from typing import Any


class Terminal:
    """As much of an event log as load and telemetry need. Samples are not shown: monitor.sh does that."""

    def emit(self, kind: str, **fields: Any) -> None:
        if kind == "log":
            print(f"  {fields['text']}", file=sys.stderr, flush=True)
        elif kind == "progress":
            done, total = fields["done"], fields["total"]
            print(
                f"  {done:.0f} of {total:.0f} s, {fields.get('remainingSeconds', total - done):.0f} s to go",
                file=sys.stderr,
                flush=True,
            )

    def note(self, text: str, step: str | None = None) -> None:
        self.emit("log", step=step, stream="note", text=text)


class ByHand:
    """As much of a job's context as load and telemetry need (load.ContextLike)."""

    def __init__(self) -> None:
        self.log = Terminal()
        self.tag = ""
        self.folder = None
        self.step_id: str | None = None

    def cancelled(self) -> bool:
        return False

    def check_cancelled(self) -> None:
        """Ctrl+C ends the program itself."""


def watts_of(profile: dict[str, Any]) -> str:
    """What the box draws under full load, in words."""
    load, power = profile.get("load") or {}, profile.get("power") or {}
    watts = power.get("wallWatts") or (load.get("watts") or {}).get("value")
    return f"up to {watts:g} W" if watts else "as much as its GPUs may draw"


def agreed(question: str, *, yes: bool) -> str | None:
    """Why nothing may be put under load; None where whoever started the command agrees. Only a terminal is asked."""
    if yes:
        return None
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return "nobody agreed to the load: --yes does, or an answer on a terminal"
    print(f"{question} Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    return None if sys.stdin.readline().strip().lower() in ("y", "yes") else "nobody agreed to the load"
