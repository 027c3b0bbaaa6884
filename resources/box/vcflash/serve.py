"""The conversation with the app: one command after another, in the order that keeps a half-written disk from booting."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from typing import Any

from vcflash import frames
from vcflash.engine import Engine, Stopped
from vcflash.frames import (
    CHUNK_BYTES,
    Beat,
    Blocks,
    Checkpoint,
    Close,
    Closed,
    Copy,
    Data,
    Disk,
    Failed,
    Flush,
    Have,
    Open,
    Read,
    Seal,
    Wipe,
    Zero,
)
from vcflash.image import Image
from vcflash.mac import tags
from vcflash.pipes import Feed, Interrupted, Voice
from vcflash.target import Target

BEAT_SECONDS = 2.0
# Where a backup GPT of whatever was there may be: 33 sectors of at most 4 KiB are less.
TAIL_BYTES = 1024 * 1024


class Writer:
    """`run` speaks with the app until the end and returns the exit status. A job on a box has another target than one it opens itself,
    and hears of every sync: vcbox/flash/session.py."""

    def __init__(self, feed: Feed, voice: Voice, stream: io.BufferedReader | None = None) -> None:
        """`stream`: a reader of `feed` that may have read on already."""
        self.feed = feed
        self.stream = stream or io.BufferedReader(feed, 65536)
        self.voice = voice
        self.engine: Engine | None = None
        self.disk: Disk | None = None
        self.sealed: frozenset[int] = frozenset()
        self.wiped = self.open_seal = self.unsynced = self.reading = False
        self.command: str | None = None
        self.over = threading.Event()
        # The target was let go in order, whether or not anybody could be told.
        self.closed = False

    def run(self) -> int:
        threading.Thread(target=self._beat, name="beat", daemon=True).start()
        try:
            while self._next():
                pass
            return 0
        except Failed as e:
            return self._end(e)
        except (Closed, Stopped, Interrupted):
            return self._end(None)
        except OSError as e:
            return self._end(
                self.engine.target.trouble(e, None) if self.engine else Failed("internal", str(e))
            )
        except Exception as e:  # the last line of defence: an error of ours must end the writer with a name
            return self._end(Failed("internal", f"{type(e).__name__}: {e}"[:500]))
        finally:
            self.over.set()

    def _beat(self) -> None:
        while not self.over.wait(BEAT_SECONDS):
            try:
                self.voice.say({"is": "beat"})
            except Closed as e:
                if self.engine:
                    self.engine.fail(e)
                return

    def _next(self) -> bool:
        """Takes one command. False after `close`."""
        self.command = None
        header = self._header()
        self.command = frames.name_of(header) or None
        command = frames.parse(header, self.disk)
        if isinstance(command, Open):
            self._open(command)
            return True
        if isinstance(command, Beat):
            return True
        engine = self.engine
        assert engine
        if isinstance(command, Have):
            self.voice.say(self._have(command))
            return True
        # Reads and writes are never under way at the same time, so a read sees what was asked before it.
        if isinstance(command, Read) != self.reading:
            engine.drain()
            self.reading = isinstance(command, Read)
        if isinstance(command, (Copy, Data, Zero)):
            self._allow(command.chunk, command.count if isinstance(command, Zero) else 1)
            self.unsynced = True
        if isinstance(command, Copy):
            engine.copy(command)
        elif isinstance(command, Data):
            engine.data(command, self._payload)
        elif isinstance(command, Zero):
            engine.zero(command.chunk, command.count)
        elif isinstance(command, Read):
            self._read(command)
        elif isinstance(command, Blocks):
            engine.blocks(command.chunk)
        elif isinstance(command, Wipe):
            self._wipe()
        elif isinstance(command, Flush):
            self._flush()
            self.voice.say({"is": "flushed"})
        elif isinstance(command, Checkpoint):
            engine.sync(self._keep)
        elif isinstance(command, Seal):
            self._seal(command)
        elif isinstance(command, Close):
            self._flush()
            self._prove()
            engine.stop()
            engine.target.close()
            self.closed = True
            self.voice.say({"is": "closed"})
            return False
        return True

    def _header(self) -> dict[str, Any]:
        return frames.read_header(self.stream)

    def _have(self, command: Have) -> dict[str, Any]:
        """This program keeps no record: what it has is nothing."""
        return {"is": "have", "chunk": command.chunk, "count": command.count, "chunks": []}

    def _prove(self) -> None:
        """Before the end that is a success: here the app alone judges."""

    def _sync(self) -> None:
        assert self.engine
        self.engine.target.sync()

    def _open(self, command: Open) -> None:
        # The image first: without it the target is not touched at all.
        image = Image(command.image) if command.image is not None else None
        target = Target(command.target, command.virtual_size)
        if image and (image.found.st_dev, image.found.st_ino) == target.inode:
            raise Failed("bad_command", "the image and the target are one file")
        self.disk = Disk(command.virtual_size)
        self.sealed = frozenset(command.sealed)
        mac = tags(command.mac)
        self.engine = Engine(target, image, self.disk, self.voice.say, self.feed.wake, mac)
        answer = {"size": target.size, "logicalBlock": target.block, "direct": target.direct}
        answer["mac"] = mac is not None
        self.voice.say({"is": "opened", **answer, "pid": os.getpid()})

    def _allow(self, chunk: int, count: int) -> None:
        if not self.wiped:
            raise Failed("order", "nothing is written before wipe", chunk)
        if not self.open_seal and any(chunk <= c < chunk + count for c in self.sealed):
            raise Failed("order", "a sealed chunk is written after seal only", chunk)

    def _payload(self, view: memoryview) -> None:
        if self.stream.readinto(view) < len(view):
            raise Closed

    def _wipe(self) -> None:
        engine = self.engine
        assert engine
        if self.open_seal:
            raise Failed("order", "wipe comes before seal")
        engine.drain()
        engine.target.check()
        chunks = self._destroy()
        self.wiped, self.unsynced = True, False
        self.voice.say({"is": "wiped", "chunks": chunks})

    def _destroy(self) -> list[int]:
        """Zeroes what could start a machine, and what the end of the target says it was; returns the chunks it has touched."""
        engine, disk = self.engine, self.disk
        assert engine and disk
        target = engine.target
        tail = max(0, target.size - TAIL_BYTES)
        # A file's start has to be at a whole block as well.
        start = tail // target.block * target.block
        for chunk in sorted(self.sealed):
            target.write_zeros(chunk * CHUNK_BYTES, disk.length(chunk))
        target.write_zeros(start, target.size - start)
        self._sync()
        return sorted(self.sealed | set(range(tail // CHUNK_BYTES, disk.chunks)))

    def _read(self, command: Read) -> None:
        engine = self.engine
        assert engine
        if self.unsynced:
            raise Failed("order", "read comes after a flush", command.chunk)
        engine.target.forget()
        engine.read(command.chunk, command.count)

    def _flush(self) -> None:
        engine = self.engine
        assert engine
        engine.drain()
        # What was made of a changed image must not boot; behind the seal all of it was read and compared, so it matters no more.
        if engine.image and not self.open_seal:
            engine.image.check()
        self._sync()
        self.unsynced = False

    def _keep(self) -> dict[str, Any]:
        """In a thread of the engine. It proves nothing: a read still wants a flush."""
        self._sync()
        return {"is": "kept"}

    def _seal(self, command: Seal) -> None:
        engine = self.engine
        assert engine
        engine.drain()
        if not self.wiped or self.unsynced:
            raise Failed("order", "seal comes after wipe, and after a flush of the last write")
        self.open_seal = True
        self.voice.say({"is": "sealed"})

    def _end(self, e: Failed | None) -> int:
        """The end before `close`: what has begun is waited for, what has not is dropped, and only then the failure is said."""
        engine = self.engine
        if engine:
            still = not engine.stop()
            if isinstance(engine.failure, Failed):
                e = engine.failure
            if self.open_seal and not self.closed and not still:
                self._unseal()
            if e is None and not still:
                try:
                    self._sync()
                except OSError:
                    pass  # nobody is there to be told, and nothing of this run has been said to be on the disk
        if e is not None:
            command = e.command or self.command
            said: dict[str, Any] = {"is": "failed", "code": e.code, "detail": e.detail}
            try:
                self.voice.say({**said, "chunk": e.chunk, "command": command})
            except Closed:
                pass
        return 1

    def _unseal(self) -> None:
        """An end behind the seal: what starts the disk may be there by now, and was not proved."""
        assert self.engine and self.disk
        try:
            self.engine.target.write_zeros(0, self.disk.length(0))
            self._sync()
        except OSError:
            pass  # it takes no more writes; that it failed is said anyway


def entry() -> None:
    """Runs the writer on stdin and stdout and ends the process: 0 after `close`, else 1."""
    # The app decides when to end, by closing stdin: ^C in a terminal reaches this process as well.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    status = Writer(Feed(0), Voice(1)).run()
    sys.stderr.flush()
    # Not sys.exit: a thread that hangs in a dead disk would be waited for.
    os._exit(status)
