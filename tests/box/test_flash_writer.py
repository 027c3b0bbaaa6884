"""The writer at its work: the same bytes as the source on files and disks, the order, the end of its pipes, its memory."""

import errno
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import zipapp
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from vcflash import target
from vcflash.frames import TargetName

from flashing import (
    CHUNK,
    MAIN,
    MIB,
    STALE,
    Source,
    Writer,
    loop_device,
    peak_memory,
    read_target,
    run,
    stale_file,
    writers,
)
from harness import SOURCE

__all__ = ["writers"]
# Ten chunks, the last one with an end that is no multiple of 4096.
VIRTUAL = 9 * CHUNK + 3 * 512
SIZE = 48 * MIB


@pytest.fixture(params=["file", "disk", "disk of 4096"])
def goal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Kind and path of a target full of old bytes."""
    backing = stale_file(tmp_path / "target", SIZE)
    kind = request.param[:4]
    sector = 4096 if request.param.endswith("4096") else 512
    with nullcontext(str(backing)) if kind == "file" else loop_device(backing, sector) as path:
        yield kind, path


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path, VIRTUAL, seed=7)


def opened(writers: Any, source: Source, goal: tuple[str, str], **more: Any) -> Writer:
    writer = writers()
    writer.ask("open", "opened", **source.open_fields(*goal, SIZE, **more))
    return writer


def test_the_target_has_the_same_bytes_and_the_hashes_are_theirs(
    writers: Any, source: Source, goal: tuple[str, str], tmp_path: Path
) -> None:
    writer = opened(writers, source, goal)
    answer = writer.of("opened")[0]
    assert answer["size"] == SIZE and answer["pid"] == writer.process.pid and answer["direct"] is True
    assert writer.ask("wipe", "wiped")["chunks"] == [0, 9]
    source.write(writer, source.unsealed())
    writer.ask("flush", "flushed")
    writer.ask("read", "read", chunk=0, count=source.chunks)
    first = writer.wait("read", source.chunks)
    hashes = {a["chunk"]: a["sha256"] for a in first}
    expected = {c: source.sha256(c) for c in source.unsealed()}
    assert hashes == {0: None, **expected, 9: None}
    written = {a["chunk"]: a["sha256"] for a in writer.of("written")}
    assert written == {c: h for c, h in expected.items() if c in source.extents}
    assert {a["chunk"] for a in writer.of("zeroed")} == {1, 4, 7}
    writer.ask("seal", "sealed")
    source.write(writer, [0, 9])
    writer.ask("flush", "flushed")
    writer.send("read", chunk=9, count=1)
    assert writer.wait("read", source.chunks + 1)[-1]["sha256"] == source.sha256(9) is not None
    writer.ask("close", "closed")
    assert writer.end() == (0, [])
    data = read_target(goal[1], SIZE)
    assert data[:VIRTUAL] == source.disk
    # Behind the image: zeros to the end of the logical block at most, old bytes, then what wipe made of a backup GPT.
    block = answer["logicalBlock"] if goal[0] == "disk" else 1
    behind = -(-VIRTUAL // block) * block
    assert data[VIRTUAL:behind] == bytes(behind - VIRTUAL)
    # The chunk at the image's end was sealed, but only what is the image's of it was wiped.
    assert data[behind : SIZE - MIB] == bytes([STALE]) * (SIZE - MIB - behind)
    assert data[SIZE - MIB :] == bytes(MIB)
    holes = sum(source.length(c) for c in range(source.chunks) if c not in source.extents)
    assert (tmp_path / "target").stat().st_blocks * 512 <= SIZE - holes, "holes were written, not unmapped"


def test_reading_back_asks_the_disk_and_not_the_cache(writers: Any, source: Source, tmp_path: Path) -> None:
    backing = stale_file(tmp_path / "target", SIZE)
    with loop_device(backing) as path:
        writer = opened(writers, source, ("disk", path))
        writer.ask("wipe", "wiped")
        writer.ask("copy", "written", chunk=2, extents=source.extents[2])
        writer.ask("flush", "flushed")
        assert writer.ask("read", "read", chunk=2, count=1)["sha256"] == source.sha256(2)
        changed = bytearray(source.bytes_of(2))
        changed[12345] ^= 1
        with open(backing, "r+b") as f:
            f.seek(2 * CHUNK + 12345)
            f.write(changed[12345:12346])
            f.flush()
            os.fsync(f.fileno())
        found = writer.ask("read", "read", chunk=2, count=1)["sha256"]
        assert found == hashlib.sha256(changed).hexdigest()
        writer.ask("close", "closed")


ORDER = [
    (["copy"], "copy"),
    (["zero"], "zero"),
    (["wipe", "copy0"], "copy"),
    (["wipe", "zero all"], "zero"),
    (["wipe", "copy", "seal"], "seal"),
    (["wipe", "copy", "read"], "read"),
    (["seal"], "seal"),
    (["wipe", "seal", "wipe"], "wipe"),
    (["open"], "open"),
]


@pytest.mark.parametrize(("commands", "refused"), ORDER)
def test_what_would_break_the_order_is_refused(
    writers: Any, source: Source, tmp_path: Path, commands: list[str], refused: str
) -> None:
    path = str(stale_file(tmp_path / "target", SIZE))
    writer = opened(writers, source, ("file", path))
    fields = source.open_fields("file", path, SIZE)
    all_of_them = {
        "copy": {"chunk": 2, "extents": source.extents[2]},
        "copy0": {"chunk": 0, "extents": source.extents[0]},
        "zero": {"chunk": 1, "count": 1},
        "zero all": {"chunk": 5, "count": 5},
        "read": {"chunk": 2, "count": 1},
        "open": fields,
    }
    for name in commands:
        writer.send(name.split()[0].rstrip("0"), **all_of_them.get(name, {}))
    assert writer.failed("order")["command"] == refused
    sealed = Path(path).read_bytes()[:CHUNK]
    assert sealed == (bytes(CHUNK) if "wipe" in commands else bytes([STALE]) * CHUNK)


def test_commands_that_are_none_end_it_before_a_byte_is_written(
    writers: Any, source: Source, tmp_path: Path
) -> None:
    path = stale_file(tmp_path / "target", SIZE)
    for command in ({"do": "copy", "chunk": 10, "extents": []}, {"do": "format"}, {"do": "wipe", "bytes": 3}):
        writer = opened(writers, source, ("file", str(path)))
        writer.send(**command)
        writer.failed("bad_command")
    assert path.read_bytes() == bytes([STALE]) * SIZE


def test_the_end_of_the_image_is_zeroed_where_an_old_backup_gpt_may_be(
    writers: Any, source: Source, tmp_path: Path
) -> None:
    """A target hardly larger than the image: the chunks that wipe damages are named, so that nobody takes them as written."""
    size = VIRTUAL + 512
    writer = writers()
    writer.ask("open", "opened", **source.open_fields("file", str(tmp_path / "target"), size, sealed=[0]))
    assert writer.ask("wipe", "wiped")["chunks"] == [0, 8, 9]
    writer.ask("close", "closed")
    assert (tmp_path / "target").stat().st_size == size


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment_it_leaves_nothing_that_boots(
    writers: Any, source: Source, tmp_path: Path, seed: int
) -> None:
    with loop_device(stale_file(tmp_path / "target", SIZE)) as path:
        writer = opened(writers, source, ("disk", path))
        writer.ask("wipe", "wiped")
        source.write(writer, source.unsealed())
        moment = random.Random(seed).randint(0, len(source.extents) - 2)
        writer.wait("written", moment)
        writer.process.send_signal(signal.SIGKILL)
        writer.process.wait(30)
        data = read_target(path, SIZE)
        assert data[:CHUNK] == bytes(CHUNK)
        assert data[9 * CHUNK : VIRTUAL] == bytes(VIRTUAL - 9 * CHUNK)
        assert data[SIZE - MIB :] == bytes(MIB)
        # And the next one goes on: nobody holds the disk any more.
        opened(writers, source, ("disk", path)).ask("close", "closed")


def test_the_end_of_stdin_ends_it_without_another_byte(writers: Any, source: Source, tmp_path: Path) -> None:
    path = stale_file(tmp_path / "target", SIZE)
    writer = opened(writers, source, ("file", str(path)))
    writer.ask("wipe", "wiped")
    writer.ask("copy", "written", chunk=2, extents=source.extents[2])
    writer.send("data", b"only a part of the payload", chunk=5, bytes=CHUNK)
    assert writer.process.stdin
    writer.process.stdin.close()
    assert writer.end() == (1, [])
    data = path.read_bytes()
    assert data[:CHUNK] == bytes(CHUNK)
    assert data[2 * CHUNK : 3 * CHUNK] == source.bytes_of(2)
    assert data[5 * CHUNK : 6 * CHUNK] == bytes([STALE]) * CHUNK


def test_the_end_of_stdout_ends_it(source: Source, tmp_path: Path) -> None:
    """Answers that nobody reads: the writer must not go on writing for an app that is gone."""
    path = stale_file(tmp_path / "target", SIZE)
    process = subprocess.Popen(
        [sys.executable, "-I", "-B", str(MAIN)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdin and process.stdout and process.stderr
        process.stdout.close()
        talk = object.__new__(Writer)
        talk.process = process
        talk.send("open", **source.open_fields("file", str(path), SIZE))
        assert process.wait(30) == 1
        assert process.stderr.read() == b""
        assert path.read_bytes() == bytes([STALE]) * SIZE
    finally:
        process.kill()
        process.wait(30)
        process.stderr.close()


def test_it_says_that_it_lives(writers: Any) -> None:
    writer = writers()
    writer.wait("beat", 2)


def test_memory_stays_the_same_for_a_disk_of_200_gib(writers: Any, source: Source, tmp_path: Path) -> None:
    size = 200 * 1024 * MIB
    chunks = size // CHUNK
    writer = writers()
    fields = source.open_fields("file", str(tmp_path / "target"), size)
    writer.ask("open", "opened", **{**fields, "virtualSize": size, "sealed": [0, chunks - 1]})
    writer.ask("wipe", "wiped")
    writer.ask("zero", "zeroed", chunk=1, count=chunks - 2)
    rng = random.Random(2)
    some = rng.sample(range(1, chunks - 1), 40)
    payload = rng.randbytes(CHUNK)
    for number, chunk in enumerate(some):
        if number % 2:
            writer.send("copy", chunk=chunk, extents=source.extents[2])
        else:
            writer.send("data", payload, chunk=chunk, bytes=CHUNK)
    writer.wait("written", len(some))
    writer.ask("flush", "flushed")
    writer.send("read", chunk=chunks - 600, count=600)
    writer.wait("read", 600)
    assert 20 < peak_memory(writer.process.pid) < 128
    writer.ask("close", "closed")
    assert (tmp_path / "target").stat().st_size == size
    assert (tmp_path / "target").stat().st_blocks * 512 < 45 * CHUNK


def test_a_chunk_is_not_written_twice_at_once(writers: Any, source: Source, tmp_path: Path) -> None:
    """Only where the first write is still under way, so it is a zero of many GiB."""
    size = 2 * 1024 * 1024 * MIB
    writer = writers()
    fields = source.open_fields("file", str(tmp_path / "target"), size)
    writer.ask("open", "opened", **{**fields, "virtualSize": size, "sealed": [0]})
    writer.ask("wipe", "wiped")
    for _ in range(3):
        writer.send("zero", chunk=1, count=size // CHUNK - 1)
    writer.failed("bad_command")


def test_zeros_are_written_where_the_target_has_no_command_for_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls: list[str] = []

    def refuse(name: str) -> Any:
        def call(*_: Any) -> None:
            calls.append(name)
            raise OSError(errno.EOPNOTSUPP, "not supported")

        return call

    monkeypatch.setattr(target, "_punch", refuse("punch"))
    monkeypatch.setattr(target, "_zero_out", refuse("zero out"))
    with loop_device(stale_file(tmp_path / "target", SIZE)) as path:
        goal = target.Target(TargetName("disk", path, None, SIZE), SIZE)
        goal.zero(CHUNK, 9 * MIB)
        goal.zero(20 * MIB, 512)
        goal.sync()
        goal.close()
        data = read_target(path, SIZE)
    assert calls == ["punch", "zero out"], "what was refused once is not asked again"
    old = bytes([STALE])
    assert data == old * CHUNK + bytes(9 * MIB) + old * (7 * MIB) + bytes(512) + old * (28 * MIB - 512)


def test_it_works_without_direct_io(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(target.Target, "_open_direct", lambda self: (self.plain, False))
    path = stale_file(tmp_path / "target", SIZE)
    data = bytearray(random.Random(3).randbytes(CHUNK))
    with loop_device(path) as disk:
        for kind, name, at in (("file", str(path), 2), ("disk", disk, 5)):
            goal = target.Target(TargetName(kind, name, None, SIZE), SIZE)
            goal.write(memoryview(data), 0, 1536, at * CHUNK)
            goal.sync()
            goal.forget()
            back = memoryview(bytearray(CHUNK))
            goal.read(back, 1536, at * CHUNK)
            assert back[:1536] == data[:1536]
            goal.close()
        assert read_target(disk, SIZE)[5 * CHUNK : 5 * CHUNK + 1536] == data[:1536]


def whole_run(writer: Writer, source: Source, path: Path) -> None:
    writer.ask("open", "opened", **source.open_fields("file", str(path), VIRTUAL))
    writer.ask("wipe", "wiped")
    source.write(writer, source.unsealed())
    writer.ask("flush", "flushed")
    writer.ask("seal", "sealed")
    source.write(writer, [0, 9])
    writer.ask("close", "closed")
    assert writer.end() == (0, [])
    assert path.read_bytes() == source.disk


def test_it_runs_as_one_file(writers: Any, source: Source, tmp_path: Path) -> None:
    shutil.copytree(SOURCE / "vcflash", tmp_path / "in" / "vcflash")
    zipapp.create_archive(tmp_path / "in", tmp_path / "writer.pyz", main="vcflash.serve:entry")
    argv = [sys.executable, "-I", "-B", str(tmp_path / "writer.pyz")]
    whole_run(writers(argv=argv), source, tmp_path / "target")


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.12", "3.13"])
def test_it_runs_with_other_versions_of_python(
    writers: Any, source: Source, tmp_path: Path, version: str
) -> None:
    python = f"python{version}"
    try:
        assert version in run(python, "-I", "--version")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"no {python} here")
    whole_run(writers(argv=[python, "-I", "-B", str(MAIN)]), source, tmp_path / "target")
