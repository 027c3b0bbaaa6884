"""Helpers of the tests of a flash on a box: a feeder as the app is one, over the real socket, and the job's orders."""

import os
import socket
import threading
from pathlib import Path
from typing import Any

from flashing import Source, Talk, frame
from harness import wait_until

KEY = "feeder-1"
IMAGE = "image-1"


class Feeder(Talk):
    """`silent`: without beats, as one behind a cut cable."""

    def __init__(
        self, folder: Path, *, key: str = KEY, name: str = "engineer on laptop-1", silent: bool = False
    ) -> None:
        self.key, self.name = key, name
        at = os.open(folder, os.O_RDONLY)
        wait_until("the socket", (folder / "feed.sock").exists)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.connect(f"/proc/self/fd/{at}/feed.sock")
        finally:
            os.close(at)
        self.sending = threading.Lock()
        self.over = threading.Event()
        super().__init__(self.socket.makefile("rb"))
        if not silent:
            threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self) -> None:
        while not self.over.wait(2.0):
            if self.of("opened"):
                self.send("beat")

    def send(self, do: str, payload: bytes = b"", **fields: Any) -> None:
        try:
            with self.sending:
                self.socket.sendall(frame(do, payload, fields))
        except OSError:
            pass  # it ended; the answers say why

    def refused(self, code: str) -> str:
        """Waits for the end of the connection, which has to be this failure; its words."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.ended, 60)
        assert [a["code"] for a in self.of("failed")] == [code], self.answers[-3:]
        return self.of("failed")[0]["detail"]

    def open(self, source: Source, target: dict[str, Any], **more: Any) -> dict[str, Any]:
        fields = {"v": 1, "target": {**target, "kind": "disk"}, "image": None, "virtualSize": source.size}
        fields |= {
            "sealed": [0, source.chunks - 1],
            "feeder": {"key": self.key, "name": self.name},
            "imageId": IMAGE,
        }
        return self.ask("open", "opened", **{**fields, **more})

    def write(self, source: Source, chunks: list[int]) -> None:
        """Sends the chunks without waiting: holes by `zero`, all else by `data`."""
        for chunk in chunks:
            if chunk in source.extents:
                self.send(
                    "data", source.bytes_of(chunk), chunk=chunk, bytes=source.length(chunk), encoding="plain"
                )
            else:
                self.send("zero", chunk=chunk, count=1)

    def wait_written(self, count: int) -> None:
        def there() -> bool:
            return len(self.of("written")) + len(self.of("zeroed")) >= count

        with self.changed:
            assert self.changed.wait_for(lambda: self.ended or there(), 60) and there(), self.answers[-3:]

    def read(self, source: Source, chunk: int, count: int) -> dict[int, str | None]:
        before = len(self.of("read"))
        self.send("read", chunk=chunk, count=count)
        return {a["chunk"]: a["sha256"] for a in self.wait("read", before + count)[before:]}

    def have(self, source: Source) -> dict[int, tuple[str | None, bool]]:
        chunks = self.ask("have", "have", chunk=0, count=source.chunks)["chunks"]
        return {chunk: (digest, verified) for chunk, digest, verified in chunks}

    def finish(self, source: Source, seed: dict[int, bytes] | None = None) -> None:
        """Reads all back, seals, reads that, and closes: what the app does from there on. `seed`: chunks that hold something else
        than the image in the end."""
        seed = seed or {}
        self.ask("flush", "flushed")
        self.read(source, 0, source.chunks)
        told = {"image": [[c, source.sha256(c)] for c in seed]} if seed else {}
        self.ask("seal", "sealed", **told)
        written = len(self.of("written")) + len(self.of("zeroed"))
        for chunk, data in seed.items():
            self.send("data", data, chunk=chunk, bytes=len(data), encoding="plain")
        self.write(source, [source.chunks - 1, 0])
        self.wait_written(written + 2 + len(seed))
        self.ask("flush", "flushed")
        for chunk in (0, *seed, source.chunks - 1):
            self.read(source, chunk, 1)
        self.ask("close", "closed")

    def leave(self) -> None:
        self.over.set()
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


def orders(source: Source, path: str, size: int, **more: Any) -> dict[str, Any]:
    """params of the job."""
    data = sum(source.length(chunk) for chunk in source.extents)
    params = {"target": {"serial": None, "path": path, "size": size, "name": "a loop device"}}
    params |= {
        "imageId": IMAGE,
        "virtualSize": source.size,
        "sealed": [0, source.chunks - 1],
    }
    return {**params, "dataBytes": data, "diskRoot": None, "identity": None, **more}
