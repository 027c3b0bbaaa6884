"""zstd as the system has it: Python knows it from 3.14 on only, and dpkg of Ubuntu and Debian brings the library to each system."""

from __future__ import annotations

import ctypes
import threading

LIBRARY = "libzstd.so.1"


class Broken(Exception):
    """What was to be unpacked is damaged, or gives other than what was said."""


class Unpacker:
    """Frames into memory, by several threads at a time; Python's lock is free meanwhile."""

    def __init__(self, library: ctypes.CDLL) -> None:
        size, address = ctypes.c_size_t, ctypes.c_void_p
        self.context = library.ZSTD_createDCtx
        self.context.restype = address
        self.find = library.ZSTD_findFrameCompressedSize
        self.find.argtypes, self.find.restype = [address, size], size
        self.decompress = library.ZSTD_decompressDCtx
        self.decompress.argtypes, self.decompress.restype = [address, address, size, address, size], size
        self.bad = library.ZSTD_isError
        self.bad.argtypes, self.bad.restype = [size], ctypes.c_uint
        # The library has room for one frame at a time in each.
        self.threads = threading.local()

    def into(self, target: int, length: int, source: int, packed: int) -> None:
        """Fills `length` bytes at the address `target` with what the frames in `packed` bytes at `source` give, one after the other; what
        comes behind the last of them is let be. Broken where they give other than that."""
        context = getattr(self.threads, "context", None)
        if context is None:
            context = self.threads.context = self.context()
            if not context:
                raise MemoryError
        done = taken = 0
        while done < length:
            frame = self.find(source + taken, packed - taken)
            if self.bad(frame) or not frame:
                raise Broken("no whole frame of zstd is there")
            gave = self.decompress(context, target + done, length - done, source + taken, frame)
            if self.bad(gave) or not gave:
                raise Broken("a frame of zstd cannot be unpacked")
            done, taken = done + gave, taken + frame


def find() -> Unpacker | None:
    """None where the system has no such library."""
    try:
        return Unpacker(ctypes.CDLL(LIBRARY))
    except (OSError, AttributeError):
        return None


UNPACKER = find()
