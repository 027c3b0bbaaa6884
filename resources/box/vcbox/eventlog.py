"""The event log: one JSON object a line, numbered and hash-chained (docs/adr/0002-job-mechanism.md).

One writer, enforced by a lock on the file. Readers go by `events.synced`: the number of bytes they may see.
"""

import errno
import fcntl
import hashlib
import json
import mmap
import os
import struct
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# These carry verdicts: a reader must never have seen one that a power cut then takes back.
SYNC_FIRST = frozenset({"check", "finished"})
SYNC_WITHIN = 1.0
TEXT_MAX = 4000
# Freed when the disk is full, so that the end of the job can still be written.
RESERVE_BYTES = 64 * 1024


class LogFull(Exception):
    """The disk has no room for another event."""


def read_evidence(marker: Path = Path("/etc/vault-cube/evidence")) -> str:
    """`real` unless the marker file says `stand-in` or `practice`; an unknown word counts as `stand-in`, the weaker."""
    try:
        word = marker.read_text().strip()
    except OSError:
        return "real"
    return word if word in ("real", "stand-in", "practice") else "stand-in"


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class EventLog:
    """Appends events to `<folder>/events.jsonl`. Safe to use from several threads; raises LogFull when the disk is full."""

    def __init__(self, folder: Path, job: str, attempt: int, spec_sha256: str, evidence: str) -> None:
        self._lock = threading.RLock()
        self._fd = os.open(
            folder / "events.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640
        )
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(self._fd).st_size:
            raise FileExistsError(
                f"{folder}/events.jsonl holds events of an earlier run; an attempt runs once"
            )
        self._head = {"v": 1, "job": job, "attempt": attempt}
        self._tail = {"boot": boot_id(), "evidence": evidence}
        self._prev = spec_sha256
        self._size = 0
        self.seq = 0
        self._dirty_since: float | None = None
        self.last_event = time.monotonic()
        self.last_heard = time.monotonic()
        self._reserve = folder / "reserve"
        self._reserve.write_bytes(b"\0" * RESERVE_BYTES)
        synced = os.open(folder / "events.synced", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        os.write(synced, struct.pack("<Q", 0))
        self._synced = mmap.mmap(synced, 8)
        os.close(synced)
        self._closed = threading.Event()
        self._flusher = threading.Thread(target=self._flush_loop, name="log-sync", daemon=True)
        self._flusher.start()

    def emit(self, kind: str, **fields: Any) -> None:
        """Appends one event. `check` and `finished` are on the disk when this returns, the rest within a second."""
        with self._lock:
            if self._closed.is_set():
                return
            self.seq += 1
            mono = time.monotonic()
            event = {
                **self._head,
                "seq": self.seq,
                "mono": round(mono, 6),
                "t": utc_now(),
                "kind": kind,
                "prev": self._prev,
                **self._tail,
                **fields,
            }
            line = json.dumps(event, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            data = line.encode("utf-8", "replace")
            try:
                self._append(data + b"\n")
            except LogFull:
                self.seq -= 1
                raise
            self._prev = hashlib.sha256(data).hexdigest()
            self.last_event = mono
            if kind != "beat":
                self.last_heard = mono
            if kind in SYNC_FIRST:
                os.fdatasync(self._fd)
                self._dirty_since = None
            elif self._dirty_since is None:
                self._dirty_since = mono
            self._synced[0:8] = struct.pack("<Q", self._size)

    def note(self, text: str, step: str | None = None) -> None:
        self.emit("log", step=step, stream="note", text=text[:TEXT_MAX])

    def free_reserve(self) -> None:
        self._reserve.unlink(missing_ok=True)

    def close(self) -> None:
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            os.fdatasync(self._fd)
            self._synced.flush()
        self.free_reserve()

    def _append(self, data: bytes) -> None:
        try:
            written = os.write(self._fd, data)
        except OSError as e:
            if e.errno in (errno.ENOSPC, errno.EDQUOT):
                raise LogFull(os.strerror(e.errno)) from e
            raise
        if written != len(data):
            # Nobody was told of these bytes: taking them back keeps every line whole.
            os.ftruncate(self._fd, self._size)
            raise LogFull("no space left on device")
        self._size += written

    def _flush_loop(self) -> None:
        while not self._closed.wait(SYNC_WITHIN / 4):
            with self._lock:
                due = (
                    self._dirty_since is not None and time.monotonic() - self._dirty_since >= SYNC_WITHIN / 2
                )
                if due:
                    self._dirty_since = None
            if due:
                os.fdatasync(self._fd)
                self._synced.flush()
