"""What the disk alone takes for an image's data: argv IMAGE TARGET. Written, synced, and read again, by several threads past the cache,
from memory, without a hash or a look at any byte. Nobody who reads back after writing is faster on that disk. Prints seconds as JSON."""

import json
import mmap
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from extents import extents

CHUNK = 4 << 20
BLOCK = 4096
# A hole of less is written as its neighbours are.
HOLE = 256 << 10
THREADS = 4


def data(image: str) -> Iterator[tuple[int, int]]:
    """(offset, bytes) of what holds data, whole blocks, none longer than a chunk."""
    fd = os.open(image, os.O_RDONLY)
    end = os.fstat(fd).st_size
    runs: list[list[int]] = []
    for first, hole in extents(fd):
        start, stop = first // BLOCK * BLOCK, min(end, -(-hole // BLOCK) * BLOCK)
        if runs and start - runs[-1][1] < HOLE:
            runs[-1][1] = stop
        else:
            runs.append([start, stop])
    os.close(fd)
    for start, stop in runs:
        while start < stop:
            size = min(stop, (start // CHUNK + 1) * CHUNK) - start
            yield start, size
            start += size


mine = threading.local()


def begin() -> None:
    mine.memory = mmap.mmap(-1, CHUNK)
    mine.memory.write(os.urandom(CHUNK))


def timed(pieces: list[tuple[int, int]], move: Callable[[memoryview, int], int], last: Callable) -> float:
    def one(piece: tuple[int, int]) -> None:
        at, size = piece
        if move(memoryview(mine.memory)[:size], at) != size:
            raise OSError(f"not all of {size} bytes at {at}")

    with ThreadPoolExecutor(THREADS, initializer=begin) as pool:
        begun = time.monotonic()
        list(pool.map(one, pieces))
        last()
        return time.monotonic() - begun


image, target = sys.argv[1:]
pieces = list(data(image))
fd = os.open(target, os.O_RDWR | os.O_DIRECT)
write = timed(pieces, lambda memory, at: os.pwrite(fd, memory, at), lambda: os.fsync(fd))
read = timed(pieces, lambda memory, at: os.preadv(fd, [memory], at), lambda: None)
print(json.dumps({"write": write, "read": read, "bytes": sum(size for _, size in pieces)}))
