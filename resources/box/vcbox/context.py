"""What a kind of job is given: its parameters, the log, steps, waiting, and whether it was cancelled."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vcbox.eventlog import EventLog
from vcbox.paths import Paths

FOLLOWED_WITHIN_SECONDS = 3.0


class JobFailed(Exception):
    """Ends the job as `failed` with a code from the app's error table and a sentence."""

    def __init__(self, code: str, detail: str, counts: dict[str, int] | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.counts = counts


class Cancelled(Exception):
    """The job was asked to end. Kinds clean up in `finally` and let it pass."""


@dataclass
class Context:
    spec: dict[str, Any]
    folder: Path
    box: Path
    paths: Paths
    log: EventLog
    tag: str
    cgroup: Path | None = None
    cancel_event: threading.Event = field(default_factory=threading.Event)
    # Set when the supervisor found nothing left of the job.
    gone_event: threading.Event = field(default_factory=threading.Event)
    step_id: str | None = None
    # Characters of child output that went into the event log so far.
    log_text: int = 0
    waiting_for: tuple[str, str] | None = None

    @property
    def params(self) -> dict[str, Any]:
        return self.spec["params"]

    @property
    def control(self) -> Path:
        return self.folder / "control"

    def cancelled(self) -> bool:
        return self.cancel_event.is_set() or (self.control / "cancel").exists()

    def check_cancelled(self) -> None:
        if self.cancelled():
            raise Cancelled

    def sleep(self, seconds: float) -> None:
        """Waits; ends early by Cancelled."""
        self.cancel_event.wait(seconds)
        self.check_cancelled()

    def followed(self) -> bool:
        """Whether someone follows right now: the follower touches its file every second."""
        try:
            return time.time() - os.stat(self.control / "follower").st_mtime < FOLLOWED_WITHIN_SECONDS
        except OSError:
            return False

    @contextmanager
    def step(
        self, id: str, title: str, nominal: float | None = None, watchdog: tuple[float, str] | None = None
    ) -> Iterator[None]:
        """One step of the job; its end is logged as failed when an exception leaves it. `watchdog`: seconds and reason."""
        dog = {"seconds": watchdog[0], "reason": watchdog[1]} if watchdog else None
        self.log.emit("step", id=id, title=title, state="begin", watchdog=dog, nominalSeconds=nominal)
        self.step_id = id
        start = time.monotonic()
        outcome, detail = "failed", None
        try:
            yield
            outcome = "ok"
        except Cancelled:
            detail = "cancelled"
            raise
        except Exception as e:
            detail = str(e)[:1000]
            raise
        finally:
            self.step_id = None
            spent = round(time.monotonic() - start, 3)
            self.log.emit(
                "step", id=id, title=title, state="end", outcome=outcome, seconds=spent, detail=detail
            )

    def skip_step(self, id: str, title: str, detail: str) -> None:
        self.log.emit("step", id=id, title=title, state="end", outcome="skipped", seconds=0.0, detail=detail)

    @contextmanager
    def waiting(self, what: str, detail: str) -> Iterator[None]:
        """Says what the job waits for; the monitor repeats it every 5 s until the block is left."""
        self.log.emit("waiting", **{"for": what}, detail=detail, state="begin")
        self.waiting_for = (what, detail)
        try:
            yield
        finally:
            last = self.waiting_for or (what, detail)
            self.waiting_for = None
            self.log.emit("waiting", **{"for": what}, detail=last[1], state="end")

    def progress(self, phase: str, done: int, total: int | None, unit: str) -> None:
        self.log.emit("progress", step=self.step_id, phase=phase, done=done, total=total, unit=unit)
