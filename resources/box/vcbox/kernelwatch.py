"""The driver's errors (Xid) as they come, while a job puts cards under load: a note in the log for each, which charts show as a mark.

Only tells when; what it means for the box is judged by the checks, from the whole log. One process of the system's own follows the log.
"""

import contextlib
import os
import select
import subprocess
import threading
import time
from collections.abc import Collection
from typing import Self

from vcbox import procs
from vcbox.eventlog import LogFull
from vcbox.launch import CLEAN_ENV
from vcbox.parsers.kernel_log import FATAL, parse_xids, short_bus
from vcbox.telemetry import Teller
from vcbox.xids import meaning

# The kernel's own ring first; a box that keeps it from this user has it in the journal.
COMMANDS = (
    ("dmesg", "--follow-new"),
    ("journalctl", "-k", "-f", "-n", "0", "-q", "--no-pager", "-o", "cat"),
)
POLL_SECONDS = 0.2
AFTER_KILL_SECONDS = 2.0
# A card that dies may say so a thousand times a second.
SAME_SECONDS = 1.0
MARKS_MAX = 500
LINE_MAX = 64 * 1024


def told(bus: str, xid: int, fatal: Collection[int]) -> str:
    """As preload/contract/marks.ts reads it."""
    return f"Xid {xid}{' (fatal)' if xid in fatal else ''} on {short_bus(bus)}: {meaning(xid).sentence}"


class KernelWatch:
    """Follows the kernel log while the `with` block runs. `fatal`: Xids that fail, by the profile."""

    def __init__(self, ctx: Teller, fatal: Collection[int] | None = None) -> None:
        self.ctx = ctx
        self.fatal = FATAL if fatal is None else fatal
        self.stopped = threading.Event()
        self.last: dict[tuple[int, str], float] = {}
        self.marks = 0
        self.reader = threading.Thread(target=self.read, name="kernel-log", daemon=True)

    def __enter__(self) -> Self:
        self.reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.reader.join(5)

    def read(self) -> None:
        why = [reason for argv in COMMANDS if not self.stopped.is_set() and (reason := self.follow(argv))]
        if why and not self.stopped.is_set():
            text = f"kernel log: not followed ({'; '.join(why)}); errors of the driver are seen after the run"
            with contextlib.suppress(LogFull):
                self.ctx.log.note(text, self.ctx.step_id)

    def follow(self, argv: tuple[str, ...]) -> str | None:
        """Until the end of the block; why it ended before that."""
        env = {**CLEAN_ENV, procs.TAG: os.environ.get(procs.TAG, "")}
        try:
            child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env
            )
        except OSError as e:
            return f"{argv[0]}: {e.strerror}"
        assert child.stdout
        rest = b""
        try:
            with child.stdout as out:
                while not self.stopped.is_set():
                    if not select.select([out], [], [], POLL_SECONDS)[0]:
                        continue
                    data = os.read(out.fileno(), LINE_MAX)
                    if not data:
                        return f"{argv[0]} ended with {child.wait(AFTER_KILL_SECONDS)}"
                    *lines, rest = (rest + data).split(b"\n")
                    rest = rest[-LINE_MAX:]
                    for line in lines:
                        self.line(line.decode("utf-8", "replace"))
            return None
        except LogFull:
            return None
        finally:
            child.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(AFTER_KILL_SECONDS)

    def line(self, text: str) -> None:
        for found in parse_xids(text):
            key, now = (found["xid"], short_bus(found["bus"])), time.monotonic()
            if now - self.last.get(key, -SAME_SECONDS) < SAME_SECONDS or self.marks >= MARKS_MAX:
                continue
            self.last[key] = now
            self.marks += 1
            self.ctx.log.note(told(found["bus"], found["xid"], self.fatal), self.ctx.step_id)
