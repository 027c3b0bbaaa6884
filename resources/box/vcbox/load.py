"""Runs a load program (resources/box/vcload) as a child: its lines read, its windows beside telemetry, its life watched, its end found.

A program prints one JSON object a line on stdout (vcload/common.py); what else it or its libraries say is evidence. A sign of life is
such a line and nothing else: a rank that waits for a vanished one in NCCL keeps a processor busy for ever.
"""

import json
import os
import pwd
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from vcbox import process, procs
from vcbox.context import Cancelled
from vcbox.launch import CLEAN_ENV
from vcbox.telemetry import FIELDS, Recording, Telemetry, Teller

FOLDER = Path(__file__).resolve().parent.parent / "vcload"
LINE_MAX = 256 * 1024
RECORDS_MAX = 20_000
TEXT_LINES = 200
# Marks every process that a program starts, whichever session it moves to: torchrun gives each rank one of its own.
MARK = "VAULT_CUBE_LOAD"
END_SECONDS = 10.0
# Between the end of a program's pipes and the kernel's word of its own end.
REAP_SECONDS = 1.0
LOOK_SECONDS = 0.25
# Not kept one by one: they are signs of life, and a day has many.
PASSING = ("beat", "progress", "round", "step")

Record = dict[str, Any]


class ContextLike(Teller, Protocol):
    """As much of a job's context as a load program needs; a command run by hand has one of its own."""

    tag: str
    # Of the job, for its output.log; None by hand.
    folder: Path | None

    def cancelled(self) -> bool: ...
    def check_cancelled(self) -> None: ...


@dataclass(frozen=True)
class Program:
    """What is run. `watchdog`: seconds without a line after which it hangs, and why just so many."""

    argv: Sequence[str]
    watchdog: tuple[float, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    # Who runs it, where root asks; None: whoever asks.
    user: str | None = None
    # What of the records is told to people as it comes.
    tell: tuple[str, ...] = ("measured", "step", "failed", "absent", "answer", "operation", "rank", "ready")


class Output:
    """Lines of stdout as records, everything else as text; a torn last line is text. All of it goes into the job's output.log, as it came."""

    def __init__(self, on_record: Callable[[Record], None], folder: Path | None) -> None:
        self.on_record = on_record
        self.raw = process.OutputLog(folder) if folder else None
        self.rest: dict[str, bytes] = {"stdout": b"", "stderr": b""}
        self.text: deque[str] = deque(maxlen=TEXT_LINES)
        self.torn = 0

    def take(self, stream: str, data: bytes) -> None:
        if self.raw:
            self.raw.write(data)
        lines = (self.rest[stream] + data).split(b"\n")
        self.rest[stream] = lines.pop()
        if len(self.rest[stream]) > LINE_MAX:
            lines.append(self.rest[stream])
            self.rest[stream] = b""
        for line in lines:
            self.line(stream, line)

    def close(self) -> None:
        """What is left is no whole line, so no record, however it reads."""
        for stream, rest in self.rest.items():
            self.note(rest)
            self.torn += bool(rest) and stream == "stdout"

    def line(self, stream: str, raw: bytes) -> None:
        if stream == "stdout" and raw.startswith(b"{"):
            try:
                found = json.loads(raw)
            except ValueError:
                self.torn += 1
                found = None
            if isinstance(found, dict) and isinstance(found.get("at"), str):
                self.on_record(found)
                return
        self.note(raw)

    def note(self, raw: bytes) -> None:
        text = raw.decode("utf-8", "replace").rstrip()
        if text:
            self.text.append(text[:1000])


# An exception with its words; torchrun's own at the very end says nothing of why.
EXCEPTION = re.compile(r"\b[A-Za-z_.]*(?:Error|Exception): \S")
TORCHRUN = "failed (exitcode"


def complaint(lines: list[str]) -> str:
    """The line that tells best why a program ended: its last exception, else torchrun's word of a rank, else the last one."""
    for good in (EXCEPTION.search, lambda line: TORCHRUN in line, str.strip):
        found = next((line for line in reversed(lines) if good(line)), None)
        if found:
            return found
    return ""


def marked(mark: str) -> list[int]:
    """Live processes with the mark in their environment."""
    found, wanted = [], f"{MARK}={mark}".encode()
    for pid in procs.snapshot():
        try:
            if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(pid)
        except OSError:
            continue
    return found


def left_of(child: "subprocess.Popen[bytes]", mark: str) -> list[int]:
    """What lives of a program: all with the mark, and itself, whose mark may be gone: the kernel drops a process's memory before it tells its end."""
    found = marked(mark)
    return [*found, child.pid] if child.poll() is None and child.pid not in found else found


def end_all(child: "subprocess.Popen[bytes]", mark: str) -> bool:
    """Ends the program with all that it started: TERM, then KILL. Whether nothing is left: what hangs in the kernel stays."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in left_of(child, mark):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:
            if not left_of(child, mark):
                return True
            time.sleep(0.05)
    return False


@contextmanager
def home_of(user: str | None) -> Iterator[tuple[list[str], str]]:
    """What runs a command as the user, and a home that is gone afterwards: caches of a test are of no use to anybody."""
    home = tempfile.mkdtemp(prefix="vault-cube-load-")
    try:
        prefix: list[str] = []
        if user and os.geteuid() == 0:
            about = pwd.getpwnam(user)
            os.chown(home, about.pw_uid, about.pw_gid)
            prefix = ["runuser", "-u", user, "--"]
        yield prefix, home
    finally:
        shutil.rmtree(home, ignore_errors=True)


class Run:
    """One run of a program; see Bench.run."""

    def __init__(
        self, ctx: ContextLike, program: Program, on_record: Callable[[Record], None] | None
    ) -> None:
        self.ctx, self.program, self.on_record = ctx, program, on_record
        self.records: list[Record] = []
        self.windows: dict[str, dict[str, float]] = {}
        self.heard = self.start = time.monotonic()
        self.output = Output(self.record, ctx.folder)

    def record(self, found: Record) -> None:
        now = self.heard = time.monotonic()
        at, window = found["at"], str(found.get("window"))
        if at == "begin":
            self.windows[window] = {"begin": now}
        elif at == "end" and window in self.windows:
            self.windows[window]["end"] = now
        elif at not in PASSING and len(self.records) < RECORDS_MAX:
            self.records.append(found)
        if at in self.program.tell:
            told = {name: value for name, value in found.items() if name not in ("at", "mono")}
            text = f"{at}: {json.dumps(told)}"[:3900]
            self.ctx.log.emit("log", step=self.ctx.step_id, stream="stdout", text=text)
        elif at == "progress":
            done, total = float(found.get("done") or 0), float(found.get("total") or 0)
            self.ctx.log.emit(
                "progress",
                step=self.ctx.step_id,
                phase=str(found.get("phase") or "load"),
                done=done,
                total=total,
                unit="seconds",
                remainingSeconds=max(0.0, round(total - done, 1)),
            )
        if self.on_record:
            self.on_record(found)

    def watch(self, child: "subprocess.Popen[bytes]") -> str | None:
        """Reads until the program's end; the reason where it hangs. Raises Cancelled."""
        assert child.stdout and child.stderr
        seconds, why = self.program.watchdog
        ended = 0.0
        with selectors.DefaultSelector() as selector, child.stdout, child.stderr:
            for pipe, name in ((child.stdout, "stdout"), (child.stderr, "stderr")):
                selector.register(pipe, selectors.EVENT_READ, name)
            while selector.get_map():
                for key, _ in selector.select(LOOK_SECONDS):
                    data = os.read(key.fd, 65536)
                    if data:
                        self.output.take(key.data, data)
                    else:
                        selector.unregister(key.fileobj)
                self.ctx.check_cancelled()
                now = time.monotonic()
                if child.poll() is not None:
                    # What it left behind may hold the pipe.
                    ended = ended or now
                    if now - ended > 1.0:
                        break
                elif now - self.heard > seconds:
                    return f"it hangs: nothing was finished for {now - self.heard:.0f} s (limit {seconds:g} s: {why})"
        with suppress(subprocess.TimeoutExpired):
            child.wait(REAP_SECONDS)
        return None

    def end_of(self, child: "subprocess.Popen[bytes]") -> str | None:
        """What is wrong with how it ended; None where it ended as it should."""
        status = child.returncode
        if status == 0 and any(r["at"] == "done" for r in self.records):
            return None
        if status == 0:
            return "it ended without having come to its end"
        how = f"was killed by signal {-status}" if status < 0 else f"ended with {status}"
        said = complaint(list(self.output.text))
        return f"it {how}{': ' + said[:300] if said else ''}"

    def all(self, prefix: list[str], home: str) -> tuple[int | None, str | None, bool]:
        """`(exit status, what is wrong, whether it hung)`."""
        mark = str(uuid.uuid4())
        env = {**CLEAN_ENV, "HOME": home, "XDG_CACHE_HOME": home, MARK: mark, "PYTHONDONTWRITEBYTECODE": "1"}
        env |= {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "PYTHONUNBUFFERED": "1", **self.program.environment}
        if self.ctx.tag:
            env[procs.TAG] = self.ctx.tag
        try:
            child = subprocess.Popen(
                [*prefix, *self.program.argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd="/",
                env=env,
                umask=0o022,
                process_group=0,
            )
        except OSError as e:
            return None, f"{self.program.argv[0]}: {e.strerror}", False
        hung = None
        try:
            hung = self.watch(child)
        finally:
            gone = end_all(child, mark)
            self.output.close()
        if not gone:
            left = ", ".join(map(str, left_of(child, mark)))
            hung = f"{hung or 'it ended'}; processes of it cannot be killed: {left}"
        return child.returncode, hung or self.end_of(child), hung is not None


class Bench:
    """
    Where load programs run: with the log, the cancel and the telemetry of a job, or of a command run by hand. `refused`: why no load may be
    put on this box now; None where it may.
    """

    def __init__(self, ctx: ContextLike, telemetry: Telemetry | None, refused: str | None) -> None:
        self.ctx, self.telemetry, self.refused = ctx, telemetry, refused

    def run(
        self,
        program: Program,
        on_record: Callable[[Record], None] | None = None,
        step_seconds: float = 0.0,
    ) -> dict[str, Any]:
        """
        Runs it to its end: `{status, why, hung, records, windows: {name: {begin, end or None, rows}}, fields, text, torn, seconds}`. `why` is None
        where it came to its end. A window's rows are telemetry's, at most one a card and `step_seconds`. Raises Cancelled.
        """
        self.ctx.check_cancelled()
        run = Run(self.ctx, program, on_record)
        try:
            with home_of(program.user) as (prefix, home), self.recording(step_seconds) as recording:
                status, why, hung = run.all(prefix, home)
        except KeyError:
            status, why, hung, recording = None, f"there is no user {program.user}", False, None
        if self.ctx.cancelled():
            raise Cancelled
        windows = {
            name: {
                "begin": w["begin"],
                "end": w.get("end"),
                "rows": recording.rows(w["begin"], w.get("end", time.monotonic())) if recording else [],
            }
            for name, w in run.windows.items()
        }
        return {
            "status": status,
            "why": why,
            "hung": hung,
            "records": run.records,
            "windows": windows,
            "fields": list(FIELDS),
            "text": "\n".join(run.output.text),
            "torn": run.output.torn,
            "seconds": round(time.monotonic() - run.start, 1),
        }

    @contextmanager
    def recording(self, step_seconds: float) -> Iterator[Recording | None]:
        if self.telemetry is None:
            yield None
            return
        with self.telemetry.recording(step_seconds) as found:
            yield found


def script(name: str) -> str:
    return str(FOLDER / f"{name}.py")
