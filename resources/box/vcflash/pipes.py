"""stdin and stdout: reading that a failure elsewhere interrupts, writing of whole frames by any thread."""

from __future__ import annotations

import io
import os
import select
import threading
from typing import Any

from vcflash.frames import Closed, encode


class Interrupted(Exception):
    """`wake` was called while stdin was waited for."""


class Feed(io.RawIOBase):
    """stdin for an io.BufferedReader. Raises Interrupted as soon as `wake` was called, also in the middle of a payload. Of an app that
    beats, `silent_ms` without a byte while one is waited for is its end."""

    def __init__(self, fd: int, silent_ms: int | None = None) -> None:
        self.fd, self.silent_ms = fd, silent_ms
        self.woken, self.waker = os.pipe()
        self.poll = select.poll()
        self.poll.register(fd, select.POLLIN)
        self.poll.register(self.woken, select.POLLIN)

    def readable(self) -> bool:
        return True

    def wake(self) -> None:
        os.write(self.waker, b"!")

    def close(self) -> None:
        """Gives back what `wake` needs; `fd` is its owner's."""
        if not self.closed:
            os.close(self.woken)
            os.close(self.waker)
        super().close()

    def readinto(self, buffer: Any) -> int:
        while True:
            ready = [fd for fd, _ in self.poll.poll(self.silent_ms)]
            if not ready:
                return 0
            if self.woken in ready:
                raise Interrupted
            try:
                return os.readv(self.fd, [buffer])
            except BlockingIOError:
                continue
            except ConnectionError:
                return 0


class Voice:
    """Frames to stdout. Closed once the other end is gone."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.lock = threading.Lock()

    def say(self, header: dict[str, Any]) -> None:
        data = encode(header)
        with self.lock:
            while data:
                try:
                    data = data[os.write(self.fd, data) :]
                except BlockingIOError:
                    select.select([], [self.fd], [])
                except OSError:
                    raise Closed from None
