"""What is on a disk around the seal: nothing of it starts a machine before the end, however the end comes."""

import os
from pathlib import Path
from typing import Any

import pytest
from vcflash.engine import Engine
from vcflash.frames import Data, Disk

from flashing import CHUNK, MIB, Source, Writer, loop_device, read_target, stale_file, writers

__all__ = ["writers"]
SIZE = 48 * MIB


def sealed_writer(writers: Any, source: Source, path: str) -> Writer:
    """One that has written all of the disk and is asked for its end next."""
    writer = writers()
    writer.ask("open", "opened", **source.open_fields("disk", path, SIZE))
    writer.ask("wipe", "wiped")
    source.write(writer, source.unsealed())
    writer.ask("flush", "flushed")
    writer.ask("seal", "sealed")
    for chunk in (source.chunks - 1, 0):
        before = len(writer.of("written"))
        writer.send("data", source.bytes_of(chunk), chunk=chunk, bytes=source.length(chunk))
        writer.wait("written", before + 1)
    writer.ask("flush", "flushed")
    return writer


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path, 10 * CHUNK, seed=5)


def left(writer: Writer) -> None:
    writer.process.stdin.close()


def nonsense(writer: Writer) -> None:
    writer.send("dance")


@pytest.mark.parametrize("end", [left, nonsense])
def test_an_end_behind_the_seal_leaves_nothing_that_starts(
    writers: Any, source: Source, tmp_path: Path, end: Any
) -> None:
    with loop_device(stale_file(tmp_path / "target", SIZE)) as path:
        writer = sealed_writer(writers, source, path)
        assert read_target(path, CHUNK) == source.bytes_of(0)
        end(writer)
        assert writer.end()[0] == 1
        assert read_target(path, CHUNK) == bytes(CHUNK)


def test_a_disk_that_cannot_be_read_back_behind_the_seal_does_not_start(
    writers: Any, source: Source, tmp_path: Path
) -> None:
    backing = stale_file(tmp_path / "target", SIZE)
    with loop_device(backing) as path:
        writer = sealed_writer(writers, source, path)
        os.truncate(backing, 5 * CHUNK)
        writer.send("read", chunk=source.chunks - 1, count=1)
        assert writer.failed("target_io")["command"] == "read"
        os.truncate(backing, SIZE)
        assert read_target(path, CHUNK) == bytes(CHUNK)


def test_what_happens_to_the_image_behind_the_seal_is_no_failure(
    writers: Any, source: Source, tmp_path: Path
) -> None:
    """All of it was read and compared."""
    with loop_device(stale_file(tmp_path / "target", SIZE)) as path:
        writer = sealed_writer(writers, source, path)
        source.path.unlink()
        writer.ask("flush", "flushed")
        writer.ask("close", "closed")
        assert writer.end() == (0, [])
        assert read_target(path, source.size) == bytes(source.disk)


class Recorded:
    block = 4096

    def __init__(self) -> None:
        self.done: list[Any] = []

    def write(self, _buffer: memoryview, _at: int, length: int, offset: int) -> None:
        self.done.append((offset, length))

    def sync(self) -> None:
        self.done.append("sync")


def test_the_block_that_starts_a_machine_comes_behind_all_others() -> None:
    target: Any = Recorded()
    told: list[dict[str, Any]] = []
    engine = Engine(target, None, Disk(2 * CHUNK), told.append, lambda: None)

    def fill(view: memoryview) -> None:
        view[:] = b"\x01" * len(view)

    for chunk in (1, 0):
        engine.data(Data(chunk, CHUNK, None), fill)
        engine.drain()
    engine.stop()
    assert target.done == [(CHUNK, CHUNK), (4096, CHUNK - 4096), "sync", (0, 4096)]
    assert [answer["chunk"] for answer in told] == [1, 0]
