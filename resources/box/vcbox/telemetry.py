"""GPU telemetry: one nvidia-smi process that prints a row a GPU and period, put into the log as `samples`."""

import os
import subprocess
import threading
import time
from typing import Any, Self

from vcbox import procs
from vcbox.context import Context
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


def parse_row(line: str, mono: float) -> list[Any] | None:
    """`[mono, gpu index, value or None for each of FIELDS]`; None for a line that is no row."""
    cells = parse_csv_row(line)
    if len(cells) != len(FIELDS) + 1 or not cells[0].isdigit():
        return None
    return [round(mono, 3), int(cells[0]), *(cell_value(c) for c in cells[1:])]


class Telemetry:
    """Samples while the `with` block runs. Restarts nvidia-smi with growing pauses when it ends, and says so."""

    def __init__(self, ctx: Context, hz: float) -> None:
        self.ctx = ctx
        self.hz = min(max(hz, 0.1), HZ_MAX)
        self.stopped = threading.Event()
        self.child: subprocess.Popen[str] | None = None
        self.rows: list[list[Any]] = []
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
                text=True,
                env=env,
            )
        except OSError as e:
            return False, f"nvidia-smi: {e.strerror}"
        self.child = child
        if self.stopped.is_set():
            child.terminate()
        got, other = False, ""
        assert child.stdout
        for line in child.stdout:
            row = parse_row(line, time.monotonic())
            if row is None:
                other = line.strip()[:200] or other
                continue
            got = True
            with self.lock:
                self.rows.append(row)
        return got, f"nvidia-smi ended with {child.wait()}{': ' + other if other else ''}"

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
