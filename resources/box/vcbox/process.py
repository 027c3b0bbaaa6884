"""Runs a child process of a job: its output into output.log and log events, its records to a callback, its life watched."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vcbox import procs
from vcbox.context import Cancelled, Context, JobFailed
from vcbox.eventlog import TEXT_MAX
from vcbox.launch import CLEAN_ENV

RECORD_MARK = b"\x1e"
OUTPUT_MAX = 16 * 1024 * 1024
# What one job may put into its event log as text; the rest is in output.log only.
LOG_TEXT_MAX = 4 * 1024 * 1024
FLUSH_SECONDS = 0.1
LOOK_SECONDS = 5.0
LINE_MAX = 1024 * 1024
# How long a killed child is waited for; one that hangs in the kernel stays.
AFTER_KILL_SECONDS = 2.0


@dataclass(frozen=True)
class Done:
    """How a child ended: exit status (negative: killed by that signal) and its last lines of output."""

    status: int
    tail: str


class OutputLog:
    """Raw output of all children of a job, capped with a marker line."""

    def __init__(self, folder: Path, limit: int = OUTPUT_MAX) -> None:
        self.path = folder / "output.log"
        self.limit = limit

    def write(self, data: bytes) -> None:
        with open(self.path, "ab") as f:
            room = self.limit - f.tell()
            if room <= 0:
                return
            f.write(data[:room])
            if len(data) > room:
                f.write(f"\n[output.log ends here: {self.limit} bytes]\n".encode())


class Stream:
    """One of a child's output streams: cuts it into lines, gathers them into log events."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rest = b""
        self.text: list[str] = []
        self.length = 0
        self.since = 0.0


class Child:
    """One run of a child; see `run`."""

    def __init__(self, ctx: Context, on_record: Callable[[dict[str, Any]], None] | None, quiet: bool) -> None:
        self.ctx = ctx
        self.on_record = on_record
        self.quiet = quiet
        self.output = OutputLog(ctx.folder)
        self.tail: deque[str] = deque(maxlen=20)
        self.heard = time.monotonic()

    def take(self, stream: Stream, data: bytes) -> None:
        self.heard = time.monotonic()
        lines = (stream.rest + data).split(b"\n")
        stream.rest = lines.pop()
        if len(stream.rest) > LINE_MAX:
            lines.append(stream.rest)
            stream.rest = b""
        self.lines(stream, lines)

    def lines(self, stream: Stream, lines: list[bytes]) -> None:
        """Whole lines: records to their taker, all else into output.log and the event log."""
        records = [self.record(line) for line in lines]
        kept = [line + b"\n" for line, record in zip(lines, records, strict=True) if record is None]
        if kept:
            self.output.write(b"".join(kept))
        for line, record in zip(lines, records, strict=True):
            if record is None:
                self.line(stream, line)
            elif self.on_record:
                self.flush(stream)
                self.on_record(record)

    def record(self, raw: bytes) -> dict[str, Any] | None:
        if not (self.on_record and raw.startswith(RECORD_MARK)):
            return None
        try:
            found = json.loads(raw[1:])
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def line(self, stream: Stream, raw: bytes) -> None:
        text = raw.decode("utf-8", "replace").rstrip("\r")
        if text.strip():
            self.tail.append(text[:500])
        if self.quiet:
            return
        if stream.text and stream.length + len(text) > TEXT_MAX - 100:
            self.flush(stream)
        if not stream.text:
            stream.since = time.monotonic()
        stream.text.append(text[: TEXT_MAX - 100])
        stream.length += len(text) + 1

    def flush(self, stream: Stream) -> None:
        if not stream.text:
            return
        text = "\n".join(stream.text)[:TEXT_MAX]
        stream.text, stream.length = [], 0
        if not text.strip():
            return
        spent = self.ctx.log_text
        self.ctx.log_text += len(text)
        if spent <= LOG_TEXT_MAX:
            self.ctx.log.emit("log", step=self.ctx.step_id, stream=stream.name, text=text)
        elif spent - LOG_TEXT_MAX <= TEXT_MAX:
            self.ctx.log_text += TEXT_MAX
            self.ctx.log.note("much output: the rest is in output.log only", self.ctx.step_id)


def end_group(child: "subprocess.Popen[bytes]") -> None:
    """Ends what is left of the child's process group: TERM, then KILL."""
    for number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            return
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            continue


class Watchdog:
    """Liveness: output, or processor time anywhere below the child. Only a child without either is stuck."""

    def __init__(self, pid: int, seconds: float, reason: str) -> None:
        self.pid, self.seconds, self.reason = pid, seconds, reason
        self.cpu = -1
        self.moved = time.monotonic()

    def look(self, heard: float) -> None:
        """Raises JobFailed `watchdog` when there was no sign of life for too long."""
        table = procs.snapshot()
        below = procs.descendants(self.pid, table) | {self.pid}
        cpu = sum(table[p].cpu for p in below if p in table)
        if cpu != self.cpu:
            self.cpu, self.moved = cpu, time.monotonic()
        quiet = time.monotonic() - max(self.moved, heard)
        if quiet > self.seconds:
            text = f"no output and no processor time for {quiet:.0f} s (limit {self.seconds:.0f} s: {self.reason})"
            raise JobFailed("watchdog", text)


def run(
    ctx: Context,
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str = "/",
    on_record: Callable[[dict[str, Any]], None] | None = None,
    watchdog: tuple[float, str] | None = None,
    quiet: bool = False,
    uncancellable: bool = False,
    deadline: float | None = None,
) -> Done:
    """Runs `argv` in a process group of its own until it ends and its output is read. Raises Cancelled when the job is.

    `env` is added to a clean one. `on_record` gets each JSON object on a line that starts with 0x1e. `watchdog` is
    (seconds, reason). `quiet` keeps the output out of the event log (it is in output.log). `uncancellable` is for what
    puts things back after a cancel. `deadline`: seconds after which the child is ended and JobFailed `too_slow` raised; only for
    what must not outlast something else.
    """
    if not uncancellable:
        ctx.check_cancelled()
    child = subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env={**CLEAN_ENV, procs.TAG: ctx.tag, **(env or {})},
        umask=0o022,
        process_group=0,
    )
    state = Child(ctx, on_record, quiet)
    try:
        _read(child, state, watchdog, deadline)
        status = child.wait()
    except BaseException:
        end_group(child)
        raise
    if not uncancellable and ctx.cancelled():
        raise Cancelled
    return Done(status, "\n".join(state.tail))


def _read(
    child: "subprocess.Popen[bytes]", state: Child, watchdog: tuple[float, str] | None, deadline: float | None
) -> None:
    assert child.stdout and child.stderr
    start = time.monotonic()
    dog = Watchdog(child.pid, *watchdog) if watchdog else None
    streams = [Stream("stdout"), Stream("stderr")]
    looked, ended = time.monotonic(), 0.0
    with selectors.DefaultSelector() as selector, child.stdout, child.stderr:
        for pipe, stream in zip((child.stdout, child.stderr), streams, strict=True):
            selector.register(pipe, selectors.EVENT_READ, stream)
        while selector.get_map():
            for key, _ in selector.select(FLUSH_SECONDS):
                data = os.read(key.fd, 65536)
                if data:
                    state.take(key.data, data)
                else:
                    selector.unregister(key.fileobj)
            now = time.monotonic()
            for stream in streams:
                if stream.text and now - stream.since >= FLUSH_SECONDS:
                    state.flush(stream)
            if child.poll() is not None:
                # A daemon that the child left behind may hold the pipe for ever.
                ended = ended or now
                if now - ended > 1.0:
                    break
            elif deadline and now - start > deadline:
                raise JobFailed("too_slow", f"not done after {deadline:.0f} s, and ended")
            elif dog and now - looked > LOOK_SECONDS:
                looked = now
                dog.look(state.heard)
        for stream in streams:
            if stream.rest:
                state.lines(stream, [stream.rest])
            state.flush(stream)


def capture(
    argv: Sequence[str], timeout: float = 60.0, env: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """A short look: (exit status, stdout, stderr). 127 and the reason when the program is missing, 124 on timeout.

    One that hangs in the kernel outlives its kill, as nvidia-smi does on a card that fell off the bus: it is not waited for.
    """
    try:
        child = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={
                **CLEAN_ENV,
                **({procs.TAG: os.environ[procs.TAG]} if procs.TAG in os.environ else {}),
                **(env or {}),
            },
        )
    except OSError as e:
        return 127, "", f"{argv[0]}: {e.strerror}"
    try:
        out, err = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        child.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.communicate(timeout=AFTER_KILL_SECONDS)
        return 124, "", f"{argv[0]} did not answer within {timeout:.0f} s"
    return child.returncode, out, err
