"""What goes wrong under the writer's hands, each with its code: a bad disk, one that vanishes, no room, an image that changes or is
somebody else's. What was wiped before stays wiped."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flashing import CHUNK, MIB, Source, Writer, loop_device, read_target, run, stale_file, writers, zram

__all__ = ["writers"]
SIZE = 48 * MIB
NOBODY = 65534


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Every chunk of it that has data takes room, so what has little runs out of it."""
    return Source(tmp_path, 10 * CHUNK, seed=5)


def begun(writers: Any, source: Source, kind: str, path: str, size: int = SIZE, **more: Any) -> Writer:
    writer = writers(**more)
    writer.ask("open", "opened", **source.open_fields(kind, path, size))
    writer.ask("wipe", "wiped")
    return writer


def random_data(writer: Writer, chunks: list[int]) -> None:
    for chunk in chunks:
        writer.send("data", os.urandom(CHUNK), chunk=chunk, bytes=CHUNK)


def test_an_io_error_in_the_middle_of_writing(writers: Any, source: Source) -> None:
    """A loop device over it, since zram itself has no serial and is refused."""
    with zram(SIZE, 16 * MIB) as (below, _), loop_device(below, 4096) as path:
        writer = begun(writers, source, "disk", path)
        random_data(writer, source.unsealed())
        said = writer.failed("target_io")
        assert said["chunk"] in source.unsealed() and said["command"] == "data"
        done = {a["chunk"] for a in writer.of("written")}
        assert said["chunk"] not in done and 0 < len(done) < len(source.unsealed())
        assert read_target(path, CHUNK) == bytes(CHUNK)


def test_an_io_error_in_reading_back(writers: Any, source: Source, tmp_path: Path) -> None:
    """A target file that became shorter: what is not there cannot have been read."""
    path = stale_file(tmp_path / "target", SIZE)
    writer = begun(writers, source, "file", str(path))
    source.write(writer, source.unsealed())
    writer.ask("flush", "flushed")
    os.truncate(path, 5 * CHUNK + 5000)
    writer.send("read", chunk=0, count=10)
    said = writer.failed("target_io")
    assert said["command"] == "read" and said["chunk"] >= 5
    assert all(a["chunk"] < 5 for a in writer.of("read"))


@pytest.mark.parametrize("left", [0, 6 * CHUNK])
def test_a_disk_that_vanishes(writers: Any, source: Source, tmp_path: Path, left: int) -> None:
    """As the kernel shows a drive that was pulled out: of the size 0 (NVMe), or of another."""
    backing = stale_file(tmp_path / "target", SIZE)
    with loop_device(backing) as path:
        writer = begun(writers, source, "disk", path)
        source.write(writer, [1, 2])
        writer.wait("written", 1)
        writer.wait("zeroed", 1)
        os.truncate(backing, left)
        run("losetup", "--set-capacity", path)
        source.write(writer, [8, 3, 4, 5])
        assert writer.failed("target_gone")["chunk"] in ([8] if left else [8, 3, 4, 5])


def test_a_disk_that_vanishes_while_it_is_read(writers: Any, source: Source, tmp_path: Path) -> None:
    backing = stale_file(tmp_path / "target", SIZE)
    with loop_device(backing) as path:
        writer = begun(writers, source, "disk", path)
        os.truncate(backing, 0)
        run("losetup", "--set-capacity", path)
        writer.send("read", chunk=3, count=2)
        assert writer.failed("target_gone")["command"] == "read"


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        run("umount", str(folder))


def test_a_file_for_which_there_is_no_room(writers: Any, source: Source, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 20 * MIB) as folder:
        writer = begun(writers, source, "file", str(folder / "target"))
        random_data(writer, source.unsealed())
        said = writer.failed("target_full")
        assert said["chunk"] in source.unsealed()
        assert len(writer.of("written")) < 5
        assert (folder / "target").read_bytes()[:CHUNK] == bytes(CHUNK)


def test_a_disk_that_has_less_room_than_it_says(writers: Any, source: Source, tmp_path: Path) -> None:
    """A thin one: here a loop device over a sparse file that cannot grow."""
    with small_disk(tmp_path / "small", 20 * MIB) as folder:
        with open(folder / "backing", "wb") as f:
            f.truncate(SIZE)
        with loop_device(folder / "backing") as path:
            writer = begun(writers, source, "disk", path)
            random_data(writer, source.unsealed())
            assert writer.failed("target_full")["chunk"] in source.unsealed()


def last_in_file(source: Source) -> int:
    """The chunk of which an extent is the last in the image file, sealed ones aside."""
    ends = {c: max((o for _, _, o in e), default=0) for c, e in source.extents.items() if 0 < c < 9}
    return max(ends, key=lambda c: ends[c])


def test_an_image_that_is_cut_off_meanwhile(writers: Any, source: Source, tmp_path: Path) -> None:
    writer = begun(writers, source, "file", str(tmp_path / "target"))
    chunk = last_in_file(source)
    cut = max(o for _, _, o in source.extents[chunk]) + 1
    os.truncate(source.path, cut)
    writer.send("copy", chunk=chunk, extents=source.extents[chunk])
    said = writer.failed("image_changed")
    assert (said["chunk"], said["command"]) == (chunk, "copy")


def touched(source: Source) -> None:
    with open(source.path, "r+b") as f:
        f.write(b"H")
    os.utime(source.path, ns=(1, 1))


def exchanged(source: Source) -> None:
    other = source.path.with_name("other")
    shutil.copy2(source.path, other)
    os.replace(other, source.path)


@pytest.mark.parametrize("change", [touched, exchanged, lambda s: s.path.unlink()])
@pytest.mark.parametrize("command", ["flush", "close"])
def test_an_image_that_changed_is_noticed_before_the_seal_and_at_the_end(
    writers: Any, source: Source, tmp_path: Path, change: Any, command: str
) -> None:
    writer = begun(writers, source, "file", str(tmp_path / "target"))
    writer.ask("copy", "written", chunk=2, extents=source.extents[2])
    change(source)
    writer.send(command)
    assert writer.failed("image_changed")["command"] == command


def test_an_image_that_is_not_there_or_no_file(writers: Any, source: Source, tmp_path: Path) -> None:
    target = stale_file(tmp_path / "target", SIZE)
    before = target.read_bytes()
    os.mkfifo(tmp_path / "fifo")
    for path, code in (("none", "image_missing"), ("fifo", "image_unreadable"), (".", "image_unreadable")):
        writer = writers()
        image = {"path": str(tmp_path / path)}
        writer.send("open", **source.open_fields("file", str(target), SIZE, image=image))
        writer.failed(code)
    assert target.read_bytes() == before


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody can enter, which pytest's own is not."""
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody who asked as another")
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("variable", ["SUDO_UID", "PKEXEC_UID"])
def test_root_reads_only_what_the_person_who_asked_may_read(
    writers: Any, public: Path, tmp_path: Path, variable: str
) -> None:
    source = Source(public, 3 * CHUNK, seed=5)
    with loop_device(stale_file(tmp_path / "target", SIZE)) as path:
        source.path.chmod(0o600)
        writer = writers(env={variable: str(NOBODY)})
        writer.send("open", **source.open_fields("disk", path, SIZE))
        assert "Permission denied" in writer.failed("image_unreadable")["detail"]
        # With the right to read it, and only with it, all goes on, as root where that is needed.
        source.path.chmod(0o644)
        writer = begun(writers, source, "disk", path, env={variable: str(NOBODY)})
        assert Path(f"/proc/{writer.process.pid}").stat().st_uid == 0
        source.write(writer, source.unsealed())
        writer.ask("close", "closed")
        assert read_target(path, SIZE)[CHUNK : 2 * CHUNK] == source.bytes_of(1)


def test_root_changes_no_file_of_somebody_else(writers: Any, public: Path) -> None:
    source = Source(public, 3 * CHUNK, seed=5)
    source.path.chmod(0o644)
    mine = public / "target"
    mine.write_bytes(b"of root")
    writer = writers(env={"SUDO_UID": str(NOBODY)})
    writer.send("open", **source.open_fields("file", str(mine), SIZE))
    writer.failed("target_read_only")
    assert mine.read_bytes() == b"of root"


def test_a_person_who_is_nobody_here_reads_nothing(writers: Any, public: Path, tmp_path: Path) -> None:
    source = Source(public, 3 * CHUNK, seed=5)
    for told in ("4123456789", "root", "-1"):
        writer = writers(env={"PKEXEC_UID": told})
        writer.send("open", **source.open_fields("file", str(tmp_path / "target"), SIZE))
        writer.failed("image_unreadable")
    assert not (tmp_path / "target").exists()
