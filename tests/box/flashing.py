"""Helpers of the tests of the writer: a conversation with it, loop devices that are always given back, a disk image and its commands."""

import hashlib
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness import SOURCE, wait_until

CHUNK = 4 * 1024 * 1024
MIB = 1024 * 1024
MAIN = SOURCE / "vcflash" / "__main__.py"
STALE = 0xA5


def frame(do: str, payload: bytes, fields: dict[str, Any]) -> bytes:
    """A command as the app sends it."""
    text = json.dumps({"do": do, **fields}).encode()
    return len(text).to_bytes(4, "big") + text + payload


class Talk:
    """Answers of a writer, collected by a thread until its stream ends; what waits for one has a deadline."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.answers: list[dict[str, Any]] = []
        self.changed = threading.Condition()
        self.ended = False
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            while len(head := self.stream.read(4)) == 4:
                answer = json.loads(self.stream.read(int.from_bytes(head, "big")))
                with self.changed:
                    self.answers.append(answer)
                    self.changed.notify_all()
        except (OSError, ValueError):
            pass  # closed by the test
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def send(self, do: str, payload: bytes = b"", **fields: Any) -> None:
        raise NotImplementedError

    def of(self, kind: str) -> list[dict[str, Any]]:
        with self.changed:
            return [a for a in self.answers if a["is"] == kind]

    def wait(self, kind: str, count: int = 1, seconds: float = 60.0) -> list[dict[str, Any]]:
        """The first `count` answers of the kind. An end or a failure before that is the test's failure."""
        with self.changed:
            self.changed.wait_for(
                lambda: self.ended or sum(a["is"] == kind for a in self.answers) >= count, seconds
            )
        found = self.of(kind)
        assert len(found) >= count, self.answers[-3:]
        return found[:count]

    def ask(self, do: str, answer: str, **fields: Any) -> dict[str, Any]:
        before = len(self.of(answer))
        self.send(do, **fields)
        return self.wait(answer, before + 1)[-1]


class Writer(Talk):
    """The writer as the app starts it."""

    def __init__(self, *, env: dict[str, str] | None = None, argv: list[str] | None = None) -> None:
        argv = argv or [sys.executable, "-I", "-B", str(MAIN)]
        clean = {k: v for k, v in os.environ.items() if k not in ("SUDO_UID", "PKEXEC_UID")}
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**clean, **(env or {})},
        )
        assert self.process.stdout
        super().__init__(self.process.stdout)

    def send(self, do: str, payload: bytes = b"", **fields: Any) -> None:
        assert self.process.stdin
        try:
            self.process.stdin.write(frame(do, payload, fields))
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended with a failure; the answers say which

    def failed(self, code: str) -> dict[str, Any]:
        """Waits for the end, which has to be one `failed` with this code, status 1 and silence on stderr."""
        status, said = self.end()
        assert [a["code"] for a in said] == [code], self.answers[-3:]
        assert status == 1
        assert self.answers[-1] == said[0], "something was said after the failure"
        assert said[0]["detail"] and "Traceback" not in said[0]["detail"]
        return said[0]

    def end(self) -> tuple[int, list[dict[str, Any]]]:
        """The exit status and all that was said to have failed. Nothing may be on stderr."""
        status = self.process.wait(60)
        with self.changed:
            self.changed.wait_for(lambda: self.ended, 60)
        assert self.process.stderr
        assert self.process.stderr.read() == b""
        return status, self.of("failed")

    def close(self) -> None:
        """Lets go of all, also after a test that failed."""
        self.process.kill()
        self.process.wait(30)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                if pipe:
                    pipe.close()
            except BrokenPipeError:
                pass


@pytest.fixture
def writers() -> Iterator[Any]:
    made: list[Writer] = []

    def make(**more: Any) -> Writer:
        made.append(Writer(**more))
        return made[-1]

    yield make
    for writer in made:
        writer.close()


def run(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def loop_device(backing: Path, sector: int = 512) -> Iterator[str]:
    """A loop device over the file or disk, with direct I/O. Skips where there is none to be had."""
    if os.geteuid() != 0:
        pytest.skip("loop devices need root")
    try:
        name = run("losetup", "--find", "--show", "--direct-io=on", f"--sector-size={sector}", str(backing))
    except (OSError, subprocess.CalledProcessError) as e:
        pytest.skip(f"no loop device: {getattr(e, 'stderr', e)}")
    try:
        # Partitions that an earlier user of this loop device left to it are no part of a test.
        subprocess.run(["partx", "--delete", name], capture_output=True, check=False)
        yield name
    finally:
        subprocess.run(["partx", "--delete", name], capture_output=True, check=False)
        run("losetup", "--detach", name)
        wait_until(f"{name} to be free", lambda: not Path(f"/sys/block/{Path(name).name}/loop").exists())


@contextmanager
def zram(size: int, limit: int | None = None) -> Iterator[tuple[Path, Path]]:
    """A disk in memory, the one kind besides loop that can be made without hardware; its path and its folder in /sys. It has real
    EIO once it holds `limit` bytes which do not compress. Skips where there is none to be had."""
    control = Path("/sys/class/zram-control")
    if os.geteuid() != 0 or not control.exists():
        pytest.skip("no zram here")
    number = (control / "hot_add").read_text().strip()
    folder, path = Path(f"/sys/block/zram{number}"), Path(f"/dev/zram{number}")
    try:
        (folder / "disksize").write_text(str(size))
        if limit is not None:
            (folder / "mem_limit").write_text(str(limit))
        if not path.exists():
            pytest.skip("nobody makes the node of a zram device here")
        yield path, folder
    finally:
        (folder / "reset").write_text("1")
        (control / "hot_remove").write_text(number)


def stale_file(path: Path, size: int) -> Path:
    """A file full of old bytes: what is not zeroed shows."""
    with open(path, "wb") as f:
        f.writelines(bytes([STALE]) * min(MIB, size - at) for at in range(0, size, MIB))
        f.flush()
        os.fsync(f.fileno())
    return path


class Source:
    """A virtual disk of random extents, holes and full chunks, and a file that has its extents in another order, as qcow2 does."""

    def __init__(self, folder: Path, size: int, seed: int) -> None:
        rng = random.Random(seed)
        self.size = size
        self.disk = bytearray(size)
        self.chunks = -(-size // CHUNK)
        self.extents: dict[int, list[list[int]]] = {}
        for chunk in range(self.chunks):
            length = self.length(chunk)
            if chunk % 3 == 1 and chunk != self.chunks - 1:
                continue
            whole = [[0, length]] if chunk % 3 == 2 else self.pieces(rng, length)
            self.extents[chunk] = [[at, n, 0] for at, n in whole]
        self.path = folder / "image"
        order = [(chunk, extent) for chunk, found in self.extents.items() for extent in found]
        rng.shuffle(order)
        with open(self.path, "wb") as f:
            f.write(b"head of the image file, which is no part of the disk")
            for chunk, extent in order:
                at, length, _ = extent
                data = rng.randbytes(length)
                extent[2] = f.tell()
                f.write(data)
                self.disk[chunk * CHUNK + at : chunk * CHUNK + at + length] = data

    @staticmethod
    def pieces(rng: random.Random, length: int) -> list[list[int]]:
        """Extents in units of 512 bytes, some of them side by side, with holes of 512 bytes to a MiB."""
        found, at = [], rng.choice([0, 512, 64 * 1024])
        while at < length:
            size = min(length - at, 512 * rng.choice([1, 7, 128, 1000]))
            found.append([at, size])
            at += size + 512 * rng.choice([0, 1, 9, 700, 2048])
        return found

    def length(self, chunk: int) -> int:
        return min(CHUNK, self.size - chunk * CHUNK)

    def bytes_of(self, chunk: int) -> bytes:
        return bytes(self.disk[chunk * CHUNK : chunk * CHUNK + self.length(chunk)])

    def sha256(self, chunk: int) -> str | None:
        data = self.bytes_of(chunk)
        return hashlib.sha256(data).hexdigest() if any(data) else None

    def open_fields(self, kind: str, path: str, size: int, **more: Any) -> dict[str, Any]:
        target = {"kind": kind, "path": str(path), "serial": None, "size": size}
        fields = {"v": 1, "target": target, "image": {"path": str(self.path)}, "virtualSize": self.size}
        return {**fields, "sealed": [0, self.chunks - 1], **more}

    def write(self, writer: Writer, chunks: list[int]) -> None:
        """Sends the chunks: holes by `zero`, every fourth by `data`, all else by `copy`."""
        for chunk in chunks:
            if chunk not in self.extents:
                writer.send("zero", chunk=chunk, count=1)
            elif chunk % 4 == 2:
                writer.send("data", self.bytes_of(chunk), chunk=chunk, bytes=self.length(chunk))
            else:
                writer.send("copy", chunk=chunk, extents=self.extents[chunk])

    def unsealed(self) -> list[int]:
        return list(range(1, self.chunks - 1))


def read_target(path: str | Path, size: int) -> bytes:
    """The target's bytes past the cache of the block device."""
    if str(path).startswith("/dev/"):
        run("blockdev", "--flushbufs", str(path))
    with open(path, "rb") as f:
        return f.read(size)


def peak_memory(pid: int) -> int:
    """Largest resident memory so far, MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    raise AssertionError("no VmHWM")
