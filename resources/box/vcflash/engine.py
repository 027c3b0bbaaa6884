"""Chunks through threads: several direct writes in flight, each chunk hashed by the thread that writes it.

hashlib, pread, pwrite and fallocate let other threads run, so Python's lock is held for some 100 µs a chunk only. Memory is BUFFERS
chunks, whatever the size of disk and image. A buffer is taken before a job is queued, never by the job: so jobs cannot wait for each
other, and the reader of stdin stops by itself when all are out.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import mmap
import threading
from collections import deque
from typing import Any, Callable

from vcflash import plan
from vcflash.frames import BLOCK_BYTES, CHUNK_BYTES, Closed, Copy, Data, Disk, Failed
from vcflash.image import Image
from vcflash.mac import Mac
from vcflash.target import ZERO_BYTES, Target
from vcflash.zstd import UNPACKER, Broken

# Measured with two cores; more threads than cores, since most of them wait for the disk.
THREADS = 10
BUFFERS = 16
HUGE_BYTES = 2 * 1024 * 1024
# A chunk is compared with zeros in pieces: what it is compared with stays in the processor's cache, and Python's lock is free in between.
ZERO_BLOCK = 256 * 1024
# Jobs without a buffer (zeros) that wait at the same time.
JOBS = 64
# A hole of less is written as zeros along with its neighbours.
HOLE_BYTES = 256 * 1024
# A job that does not end after a failure hangs in the kernel, on a disk that no longer answers.
HUNG_SECONDS = 60.0

# Of a chunk that is all zeros nothing else needs to be told.
ZEROS: dict[str, str | None] = {"sha256": None}

Say = Callable[[dict], None]


class Stopped(Exception):
    """A job failed or the end was asked for: nothing more is taken."""


def huge_buffers(count: int) -> list[memoryview]:
    """Memory of one chunk each, in huge pages where there are some: the kernel pins every page of a direct write, which cost a third
    of the writer's time in the kernel with pages of 4 KiB."""
    memory = mmap.mmap(-1, count * CHUNK_BYTES + HUGE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    try:
        memory.madvise(mmap.MADV_HUGEPAGE)
    except (OSError, AttributeError):
        pass  # pages of 4 KiB do as well
    start = -ctypes.addressof(ctypes.c_char.from_buffer(memory)) % HUGE_BYTES
    view = memoryview(memory)[start:]
    return [view[n * CHUNK_BYTES : (n + 1) * CHUNK_BYTES] for n in range(count)]


class Engine:
    def __init__(
        self,
        target: Target,
        image: Image | None,
        disk: Disk,
        say: Say,
        wake: Callable[[], None],
        mac: Mac | None = None,
    ) -> None:
        """`say` sends an answer and may raise Closed; `wake` is called once, by the thread whose job failed first. With `mac` a written
        chunk is answered by its tag, and a read one by both."""
        self.mac = mac
        self.target, self.image, self.disk = target, image, disk
        self.say, self.wake = say, wake
        # Two waiting rooms with one lock: a thread that ends a job wakes whom it concerns, and not all of them.
        lock = threading.Lock()
        self.work = threading.Condition(lock)
        # One waits here: the thread that brings the commands.
        self.changed = threading.Condition(lock)
        self.stopped = False
        self.failure: Exception | None = None
        self.jobs: deque[tuple[str, int, int, Callable[[], Any], memoryview | None]] = deque()
        self.running: list[tuple[str, int, int]] = []
        # Done, and about to be told.
        self.telling: list[tuple[str, int, int]] = []
        self.buffers = huge_buffers(BUFFERS)
        self.zeros = bytearray(ZERO_BLOCK)
        self.zero_view = memoryview(bytes(CHUNK_BYTES))
        self.threads = [
            threading.Thread(target=self._work, name=f"chunk-{n}", daemon=True) for n in range(THREADS)
        ]
        for thread in self.threads:
            thread.start()

    # The main thread's side.

    def take(self) -> memoryview:
        """A buffer of one chunk, waited for. Stopped if the end comes first."""
        with self.changed:
            self.changed.wait_for(lambda: self.buffers or self.stopped)
            self._go_on()
            return self.buffers.pop()

    def copy(self, command: Copy) -> None:
        buffer = self._free(command.chunk, 1)
        self._put("copy", command.chunk, 1, lambda: self._copy(command, buffer), buffer)

    def data(self, command: Data, fill: Callable[[memoryview], None]) -> None:
        """`fill` reads the payload into the buffer, in the caller's thread."""
        buffer = self._free(command.chunk, 1)
        fill(buffer[: command.size])
        if command.parts is None:
            self._put("data", command.chunk, 1, lambda: self._data(command, buffer), buffer)
            return
        # The second is taken here as well, and by this thread alone: whoever has one waits for nobody.
        whole = self.take()
        make = self._unpack if command.over is None else self._over
        self._put("data", command.chunk, 1, lambda: make(command, buffer, whole), whole)

    def zero(self, chunk: int, count: int) -> None:
        self._judge(chunk, count)
        self._put("zero", chunk, count, lambda: self._zero(chunk, count), None)

    def read(self, chunk: int, count: int) -> None:
        """Queues one job a chunk; the same chunk may be read several times at once."""
        for number in range(chunk, chunk + count):
            buffer = self.take()
            self._put("read", number, 1, self._reader(number, buffer), buffer)

    def blocks(self, chunk: int) -> None:
        """Among the writes of other chunks: it is asked before this one is written, and proves nothing."""
        if self.mac is None:
            raise Failed("bad_command", "tags of blocks are given under a key only", chunk)
        mac, buffer = self.mac, self._free(chunk, 1)
        self._put("blocks", chunk, 1, lambda: self._blocks(mac, chunk, buffer), buffer)

    def sync(self, keep: Callable[[], dict[str, Any]]) -> None:
        """Queues `keep`, which brings to the disk what was answered before; what is written meanwhile goes on."""
        self._put("checkpoint", -1, 0, keep, None)

    def drain(self) -> None:
        """Returns when nothing is in flight. Stopped after a failure."""
        with self.changed:
            self.changed.wait_for(lambda: self.stopped or not (self.jobs or self.running or self.telling))
            self._go_on()

    def stop(self) -> bool:
        """Drops what has not begun and waits for what has. False if something hangs."""
        with self.changed:
            self._halt()
            return self.changed.wait_for(lambda: not (self.running or self.telling), HUNG_SECONDS)

    def fail(self, e: Exception) -> None:
        """Takes the first failure, and lets no further job begin."""
        with self.changed:
            first = self.failure is None
            if first:
                self.failure = e
            self._halt()
        if first:
            self.wake()

    def _halt(self) -> None:
        self.stopped = True
        self.jobs.clear()
        self.work.notify_all()
        self.changed.notify_all()

    def _go_on(self) -> None:
        if self.stopped:
            raise Stopped

    def _free(self, chunk: int, count: int) -> memoryview:
        self._judge(chunk, count)
        return self.take()

    def _judge(self, chunk: int, count: int) -> None:
        """Two writes of one chunk at once would leave either, whatever the answers say."""
        with self.changed:
            for name, first, many in [*self.running, *(j[:3] for j in self.jobs)]:
                if name != "read" and chunk < first + many and first < chunk + count:
                    raise Failed("bad_command", f"chunk {max(chunk, first)} is being written already", chunk)

    def _put(
        self, name: str, chunk: int, count: int, run: Callable[[], Any], buffer: memoryview | None
    ) -> None:
        with self.changed:
            self.changed.wait_for(lambda: len(self.jobs) < JOBS or self.stopped)
            self._go_on()
            self.jobs.append((name, chunk, count, run, buffer))
            self.work.notify()

    # The threads' side.

    def _work(self) -> None:
        while True:
            with self.work:
                self.work.wait_for(lambda: self.jobs or self.stopped)
                if self.stopped:
                    return
                name, chunk, count, run, buffer = self.jobs.popleft()
                mark = (name, chunk, count)
                about = chunk if count else None
                self.running.append(mark)
                among = self.running
            try:
                answer = run()
                if buffer is not None:
                    self._give(buffer)
                # Whoever has the answer may write that chunk at once.
                with self.changed:
                    among.remove(mark)
                    among = self.telling
                    among.append(mark)
                self.say(answer)
            except OSError as e:
                self._failed(self.target.trouble(e, about), name)
            except Failed as e:
                self._failed(e, name)
            except Closed as e:
                self.fail(e)
            except Exception as e:  # an error of ours must end the writer with a name
                self._failed(Failed("internal", f"{type(e).__name__}: {e}"[:500], about), name)
            finally:
                with self.changed:
                    among.remove(mark)
                    self.changed.notify()

    def _failed(self, e: Failed, name: str) -> None:
        e.command = name
        self.fail(e)

    def _give(self, buffer: memoryview) -> None:
        with self.changed:
            self.buffers.append(buffer)
            self.changed.notify()

    def _copy(self, command: Copy, buffer: memoryview) -> dict[str, Any]:
        chunk = command.chunk
        if self.image is None:
            raise Failed("bad_command", "there is no image to copy from", chunk)
        self.image.read_into(buffer, command.extents, chunk)
        length = self.disk.length(chunk)
        holes = plan.gaps(command.extents, length)
        for at, size in holes:
            buffer[at : at + size] = self.zero_view[:size]
        return self._write(chunk, length, plan.split(holes, length, HOLE_BYTES), buffer)

    def _data(self, command: Data, buffer: memoryview) -> dict[str, Any]:
        return self._write(command.chunk, command.size, [(False, 0, command.size)], buffer)

    def _blocks(self, mac: Mac, chunk: int, buffer: memoryview) -> dict[str, Any]:
        length = self.disk.length(chunk)
        try:
            self.target.read(buffer, length, chunk * CHUNK_BYTES)
        except OSError as e:
            if e.errno != errno.EIO:
                raise
            # What cannot be read may be written, as it always was.
            return {"is": "blocks", "chunk": chunk, "macs": []}
        macs = [
            mac.of(buffer[at : min(at + BLOCK_BYTES, length)], chunk, at // BLOCK_BYTES)
            for at in range(0, length, BLOCK_BYTES)
        ]
        return {"is": "blocks", "chunk": chunk, "macs": macs}

    def _unpack(self, command: Data, packed: memoryview, buffer: memoryview) -> dict[str, Any]:
        chunk, parts = command.chunk, command.parts or []
        length = self.disk.length(chunk)
        target, source = (ctypes.addressof(ctypes.c_char.from_buffer(m)) for m in (buffer, packed))
        try:
            for at, gives, start, size in parts:
                if size == 0:
                    buffer[at : at + gives] = packed[start : start + gives]
                elif UNPACKER:
                    UNPACKER.into(target + at, gives, source + start, size)
        except Broken as e:
            raise Failed("image_corrupt", str(e), chunk) from None
        finally:
            self._give(packed)
        holes = plan.gaps([(at, gives, 0) for at, gives, _, _ in parts], length)
        for at, size in holes:
            buffer[at : at + size] = self.zero_view[:size]
        return self._write(chunk, length, plan.split(holes, length, HOLE_BYTES), buffer)

    def _over(self, command: Data, packed: memoryview, buffer: memoryview) -> dict[str, Any]:
        """What does not become the chunk that is wanted is not written: nothing of it may be taken for that later."""
        chunk, parts = command.chunk, command.parts or []
        length = self.disk.length(chunk)
        try:
            self.target.read(buffer, length, chunk * CHUNK_BYTES)
            for at, gives, start, _ in parts:
                buffer[at : at + gives] = packed[start : start + gives]
        finally:
            self._give(packed)
        runs = [(False, at, gives) for at, gives, _, _ in parts]
        return self._write(chunk, length, runs, buffer, command.over)

    def _write(
        self,
        chunk: int,
        length: int,
        runs: list[tuple[bool, int, int]],
        buffer: memoryview,
        wanted: str | None = None,
    ) -> dict[str, Any]:
        """`wanted`: the tag without which nothing is written."""
        offset = chunk * CHUNK_BYTES
        told = self._told(buffer, length, chunk)
        if wanted is not None and told.get("mac") != wanted:
            return {"is": "unlike", "chunk": chunk}
        data = told != ZEROS
        if not data:
            runs = [(True, 0, length)]
        # The first block is what a machine starts by: it comes once all else is on the disk, so that no torn write leaves it alone there.
        head = min(self.target.block, length) if chunk == 0 and data else 0
        for zeros, start, size in runs:
            at, size = max(start, head), size - max(0, head - start)
            if size <= 0:
                continue
            if zeros:
                self.target.zero(offset + at, size)
            else:
                self.target.write(buffer, at, size, offset + at)
        if head:
            self.target.sync()
            self.target.write(buffer, 0, head, 0)
        return {"is": "written", "chunk": chunk, **told}

    def _told(self, buffer: memoryview, length: int, chunk: int) -> dict[str, str | None]:
        """What an answer tells of a chunk that is written: its tag where tags are wanted, else its hash. ZEROS of one of zeros."""
        if self._blank(buffer, length):
            return ZEROS
        if self.mac:
            return {"mac": self.mac.of(buffer[:length], chunk)}
        return {"sha256": hashlib.sha256(buffer[:length]).hexdigest()}

    def _blank(self, buffer: memoryview, length: int) -> bool:
        """A bytearray compares with any memory by memcmp, which ends at the first difference."""
        for at in range(0, length, ZERO_BLOCK):
            part = buffer[at : min(at + ZERO_BLOCK, length)]
            if (self.zeros if len(part) == ZERO_BLOCK else bytearray(len(part))) != part:
                return False
        return True

    def _zero(self, chunk: int, count: int) -> dict[str, Any]:
        at = chunk * CHUNK_BYTES
        end = min(self.disk.size, at + count * CHUNK_BYTES)
        while at < end and not self.stopped:
            step = min(ZERO_BYTES, end - at)
            self.target.zero(at, step)
            at += step
        if at < end:
            raise Closed
        return {"is": "zeroed", "chunk": chunk, "count": count}

    def _reader(self, chunk: int, buffer: memoryview) -> Callable[[], dict[str, Any]]:
        def run() -> dict[str, Any]:
            length = self.disk.length(chunk)
            self.target.read(buffer, length, chunk * CHUNK_BYTES)
            told = self._told(buffer, length, chunk)
            # What was written in this run is compared by its tag, what an earlier one left and the disk's hash by this.
            if "mac" in told:
                told = {**told, "sha256": hashlib.sha256(buffer[:length]).hexdigest()}
            return {"is": "read", "chunk": chunk, **told}

        return run
