"""GPU telemetry: one nvidia-smi process that prints a row a GPU and period, put into the log as `samples`."""

import contextlib
import math
import os
import select
import subprocess
import threading
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, Self

from vcbox import procs
from vcbox.eventlog import LogFull
from vcbox.launch import CLEAN_ENV
from vcbox.parsers.nvidia_smi import cell_value, parse_csv_row

FIELDS = (
    "utilization.gpu",
    "memory.used",
    "memory.total",
    "temperature.gpu",
    "power.draw",
    "power.limit",
    "clocks.current.sm",
    "clocks.current.memory",
    "fan.speed",
    "pcie.link.gen.current",
    "pcie.link.width.current",
    "clocks_event_reasons.active",
)
BATCH_SECONDS = 1.0
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
HZ_MAX = 10.0
# Without persistence the driver wakes every card before the first row; afterwards one that is silent for so long hangs.
START_SECONDS = 60.0
SILENT_SECONDS = 10.0
SILENT_PERIODS = 5
CHUNK = 64 * 1024
POLL_SECONDS = 0.1
AFTER_KILL_SECONDS = 2.0


class LogLike(Protocol):
    def emit(self, kind: str, **fields: Any) -> None: ...
    def note(self, text: str, step: str | None = None) -> None: ...


class Teller(Protocol):
    """Where telemetry goes: a job's context, or what a command by hand has in its place."""

    step_id: str | None

    @property
    def log(self) -> LogLike: ...


def parse_row(line: str, mono: float) -> list[Any] | None:
    """`[mono, gpu index, value or None for each of FIELDS]`; None for a line that is no row."""
    cells = parse_csv_row(line)
    if len(cells) != len(FIELDS) + 1 or not cells[0].isdigit():
        return None
    return [round(mono, 3), int(cells[0]), *(cell_value(c) for c in cells[1:])]


class Recording:
    """
    The rows that come while it is open, for whoever judges them: a day of four cards takes 40 MB. With a step, at most one row a card is
    kept in so many seconds, with the newest values and the reasons of all that came in it.
    """

    WIDTH = len(FIELDS) + 2
    REASONS = 2 + FIELDS.index("clocks_event_reasons.active")

    def __init__(self, step: float = 0.0) -> None:
        self.step = step
        self.cells = array("d")
        self.last: dict[int, int] = {}
        self.lock = threading.Lock()

    def add(self, row: list[Any]) -> None:
        flat = array("d", (math.nan if v is None else int(v, 16) if isinstance(v, str) else v for v in row))
        with self.lock:
            at = self.last.get(row[1])
            # A little less than the step: rows do not come to the millisecond.
            if at is None or row[0] - self.cells[at] >= self.step * 0.95:
                self.last[row[1]] = len(self.cells)
                self.cells.extend(flat)
                return
            before = self.cells[at + self.REASONS]
            if not math.isnan(before) and not math.isnan(flat[self.REASONS]):
                flat[self.REASONS] = int(before) | int(flat[self.REASONS])
            self.cells[at + 2 : at + self.WIDTH] = flat[2:]

    def rows(self, begin: float = 0.0, end: float = math.inf) -> list[list[Any]]:
        """As Telemetry sends them: `[mono, gpu index, value or None for each of FIELDS]`, of that time."""
        found = []
        with self.lock:
            for at in range(0, len(self.cells), self.WIDTH):
                if begin <= self.cells[at] <= end:
                    found.append([self.cell(i, self.cells[at + i]) for i in range(self.WIDTH)])
        return found

    def cell(self, column: int, value: float) -> Any:
        if math.isnan(value):
            return None
        if column == self.REASONS:
            return f"0x{int(value):016x}"
        return int(value) if column and value.is_integer() else value


class Telemetry:
    """Samples while the `with` block runs. Restarts nvidia-smi with growing pauses when it ends or falls silent, and says so."""

    def __init__(self, ctx: Teller, hz: float) -> None:
        self.ctx = ctx
        self.hz = min(max(hz, 0.1), HZ_MAX)
        self.stopped = threading.Event()
        self.child: subprocess.Popen[bytes] | None = None
        self.rows: list[list[Any]] = []
        self.recordings: list[Recording] = []
        self.lock = threading.Lock()
        self.reader = threading.Thread(target=self.read, name="telemetry", daemon=True)
        self.sender = threading.Thread(target=self.send_loop, name="telemetry-send", daemon=True)

    def __enter__(self) -> Self:
        self.reader.start()
        self.sender.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        child = self.child
        if child and child.poll() is None:
            child.terminate()
        self.reader.join(5)
        self.sender.join(5)
        self.send()

    @contextmanager
    def recording(self, step: float = 0.0) -> Iterator[Recording]:
        """Keeps what comes from now on to the block's end, beside what is sent."""
        found = Recording(step)
        with self.lock:
            self.recordings.append(found)
        try:
            yield found
        finally:
            with self.lock:
                self.recordings.remove(found)

    def command(self) -> list[str]:
        query = "--query-gpu=" + ",".join(("index", *FIELDS))
        return ["nvidia-smi", query, "--format=csv,noheader,nounits", "-lms", str(round(1000 / self.hz))]

    def read(self) -> None:
        failures = 0
        while not self.stopped.is_set():
            got, why = self.read_once()
            if self.stopped.is_set():
                return
            failures = 1 if got else failures + 1
            pause = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS)) - 1]
            try:
                self.ctx.log.note(f"telemetry: {why}; started again in {pause:g} s", self.ctx.step_id)
            except LogFull:
                return
            self.stopped.wait(pause)

    def read_once(self) -> tuple[bool, str]:
        env = {**CLEAN_ENV, procs.TAG: os.environ.get(procs.TAG, "")}
        try:
            child = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=env,
            )
        except OSError as e:
            return False, f"nvidia-smi: {e.strerror}"
        self.child = child
        if self.stopped.is_set():
            child.terminate()
        assert child.stdout
        with child.stdout as out:
            got, other = self.rows_of(out.fileno())
        if other is None:
            return got, self.end_of(child)
        return got, f"nvidia-smi ended with {child.wait()}{': ' + other if other else ''}"

    def rows_of(self, fd: int) -> tuple[bool, str | None]:
        """Whether rows came, and the last line that was none; None in its place for a program that fell silent."""
        got, other, rest = False, "", b""
        silent = max(SILENT_SECONDS, SILENT_PERIODS / self.hz)
        while select.select([fd], [], [], silent if got else START_SECONDS)[0]:
            data = os.read(fd, CHUNK)
            if not data:
                return got, other
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                text = line.decode("utf-8", "replace")
                row = parse_row(text, time.monotonic())
                if row is None:
                    other = text.strip()[:200] or other
                    continue
                got = True
                with self.lock:
                    self.rows.append(row)
                    for recording in self.recordings:
                        recording.add(row)
        return got, None

    def end_of(self, child: subprocess.Popen[bytes]) -> str:
        """Ends one that is silent. One that hangs in the kernel outlives that: no other is started beside it, which would hang too."""
        child.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(AFTER_KILL_SECONDS)
            return "nvidia-smi fell silent"
        with contextlib.suppress(LogFull):
            self.ctx.log.note(
                "telemetry: nvidia-smi hangs in the driver; no other is started", self.ctx.step_id
            )
        while child.poll() is None and not self.stopped.wait(POLL_SECONDS):
            pass
        return "nvidia-smi fell silent and hung"

    def send_loop(self) -> None:
        try:
            while not self.stopped.wait(BATCH_SECONDS / 2):
                self.send()
        except LogFull:
            return

    def send(self) -> None:
        with self.lock:
            rows, self.rows = self.rows, []
        if rows:
            self.ctx.log.emit("samples", source="gpu", fields=list(FIELDS), rows=rows)
