"""Telemetry with a stand-in for nvidia-smi that replays a recording of real cards, and one that keeps dying."""

import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from vcbox import telemetry as telemetry_of_box
from vcbox.parsers.nvidia_smi import parse_csv_row
from vcbox.telemetry import FIELDS, Telemetry

from conftest import FIXTURES, wait_until

RECORDED = FIXTURES / "nvidia-smi-2xh100" / "telemetry.csv"
REPLAY = "import sys,time\nfor l in open(sys.argv[1]):\n  print(l.strip(), flush=True)\n  time.sleep(0.01)\n"


class Log:
    """Keeps what would be written."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.lock = threading.Lock()

    def emit(self, kind: str, **fields: Any) -> None:
        with self.lock:
            self.events.append({"kind": kind, "at": time.monotonic(), **fields})

    def note(self, text: str, step: str | None = None) -> None:
        self.emit("log", step=step, stream="note", text=text)


class Ctx:
    step_id = None

    def __init__(self) -> None:
        self.log = Log()

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [e for e in self.log.events if e["kind"] == kind]


def as_asked(path: Path) -> Path:
    """The recording as `--format=csv,noheader,nounits` with our fields prints it."""
    lines = RECORDED.read_text().splitlines()
    names = [n.split(" [")[0] for n in parse_csv_row(lines[0])]
    columns = [names.index(n) for n in ("index", *FIELDS)]
    rows = [parse_csv_row(line) for line in lines[1:121]]
    text = "".join(", ".join(row[c].split(" ")[0] for c in columns) + "\n" for row in rows)
    path.write_text(text)
    return path


def test_rows_come_in_batches_and_a_dead_program_is_started_again(tmp_path: Path) -> None:
    recording = as_asked(tmp_path / "rows.csv")
    ctx = Ctx()
    telemetry = Telemetry(ctx, 10)
    telemetry.command = lambda: [sys.executable, "-c", REPLAY, str(recording)]
    with telemetry:
        wait_until("a second run's rows", lambda: sum(len(e["rows"]) for e in ctx.of("samples")) > 130)
    samples = ctx.of("samples")
    assert samples[0]["fields"] == list(FIELDS)
    assert all(len(row) == len(FIELDS) + 2 for e in samples for row in e["rows"])
    assert all(e["at"] - row[0] <= 1.1 for e in samples for row in e["rows"])
    assert any("started again" in e["text"] for e in ctx.of("log"))
    assert telemetry.child and telemetry.child.poll() is not None


def test_one_that_falls_silent_is_ended_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry_of_box, "SILENT_SECONDS", 0.3)
    recording = as_asked(tmp_path / "rows.csv")
    ctx = Ctx()
    telemetry = Telemetry(ctx, 10)
    telemetry.command = lambda: [sys.executable, "-c", REPLAY + "time.sleep(600)", str(recording)]
    with telemetry:
        wait_until(
            "the note", lambda: any("fell silent; started again" in e["text"] for e in ctx.of("log")), 60
        )
    assert sum(len(e["rows"]) for e in ctx.of("samples")) >= 120
    assert telemetry.child and telemetry.child.poll() is not None


def test_no_program_is_a_note_and_no_sample() -> None:
    ctx = Ctx()
    telemetry = Telemetry(ctx, 1)
    telemetry.command = lambda: ["/nonexistent/nvidia-smi"]
    with telemetry:
        wait_until("the note", lambda: ctx.of("log"))
    assert ctx.of("samples") == []
