"""The job that writes to a disk of the box, with the real launch, runner and socket, on a loop device."""

import hashlib
import os
import random
import signal
import stat
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from conftest import Box, events, processes_of, wait_until
from feeding import Feeder, orders
from flashing import CHUNK, MIB, Source, loop_device, read_target, stale_file
from shape import validate

VIRTUAL = 9 * CHUNK + 3 * 512
SIZE = 48 * MIB


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path, VIRTUAL, seed=11)


@pytest.fixture
def disk(tmp_path: Path, box: Box) -> Iterator[str]:
    with loop_device(stale_file(tmp_path / "target", SIZE)) as path:
        yield path
        # A job that still waits for a feeder holds the disk.
        box.stop_all()


@pytest.fixture
def feed(source: Source, disk: str) -> Iterator[Any]:
    """Connects feeders, and lets them go at the end."""
    made: list[Feeder] = []

    def connect(folder: Path, **more: Any) -> Feeder:
        made.append(Feeder(folder, **more))
        return made[-1]

    yield connect
    for feeder in made:
        feeder.leave()


def named(disk: str) -> dict[str, Any]:
    return {"path": disk, "serial": None, "size": SIZE}


def root_of(source: Source) -> str:
    digest = hashlib.sha256(f"vault-cube disk 1 sha256 {CHUNK} {source.size}\n".encode())
    for chunk in range(source.chunks):
        digest.update(bytes.fromhex(source.sha256(chunk) or "00" * 32))
    return digest.hexdigest()


def end_of(box: Box, folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    found = box.wait(folder, 60)
    validate(folder)
    return found[-1], found


def waits(folder: Path) -> list[dict[str, Any]]:
    return [e for e in events(folder) if e["kind"] == "waiting" and e["for"] == "source"]


def test_a_disk_is_written_and_proved(box: Box, source: Source, disk: str, feed: Any) -> None:
    folder = box.start("flash_box", orders(source, disk, SIZE, diskRoot=root_of(source)))
    wait_until("waiting for a feeder", lambda: waits(folder))
    feeder = feed(folder)
    opened = feeder.open(source, named(disk))
    assert opened["have"] == 0 and opened["encodings"] == ["plain", "zstd"] and opened["size"] == SIZE
    assert feeder.have(source) == {}
    feeder.ask("wipe", "wiped")
    feeder.write(source, source.unsealed())
    feeder.wait_written(len(source.unsealed()))
    feeder.finish(source)
    last, found = end_of(box, folder)
    assert (last["outcome"], last["code"]) == ("passed", None)
    assert last["counts"] == {"ok": 0, "changed": source.chunks, "failed": 0, "skipped": 0}
    assert read_target(disk, source.size) == bytes(source.disk)
    (check,) = [e["check"] for e in found if e["kind"] == "check"]
    assert (check["id"], check["verdict"], check["value"]) == ("flash_read_back", "pass", root_of(source))
    steps = [(e["id"], e["outcome"]) for e in found if e["kind"] == "step" and e["state"] == "end"]
    assert steps == [("take", "ok"), ("wipe", "ok"), ("write", "ok"), ("seal", "ok")]
    assert [e["state"] for e in waits(folder)][-1] == "end"
    assert any(e["kind"] == "progress" for e in found)
    assert not (folder / "feed.sock").exists()


def seeded(box: Box, source: Source, disk: str, feed: Any, root: str) -> tuple[Path, Feeder, dict[str, Any]]:
    """A job for first-boot settings in chunk 4, with all but the sealed chunks written."""
    sealed = [0, 4, source.chunks - 1]
    more = {"sealed": sealed, "seeded": [4], "hostname": "vc-0042", "diskRoot": root}
    folder = box.start("flash_box", orders(source, disk, SIZE, **more))
    feeder = feed(folder)
    feeder.open(source, named(disk), sealed=sealed)
    feeder.ask("wipe", "wiped")
    todo = [c for c in source.unsealed() if c != 4]
    feeder.write(source, todo)
    feeder.wait_written(len(todo))
    return folder, feeder, {4: b"settings" * (CHUNK // 8)}


def test_first_boot_settings_are_no_part_of_what_is_proved_nor_of_the_ledger(
    box: Box, source: Source, disk: str, feed: Any
) -> None:
    folder, feeder, seed = seeded(box, source, disk, feed, root_of(source))
    feeder.finish(source, seed)
    last, found = end_of(box, folder)
    assert (last["outcome"], last["code"]) == ("passed", None)
    checks = [(e["check"]["id"], e["check"]["value"]) for e in found if e["kind"] == "check"]
    assert checks == [("flash_read_back", root_of(source)), ("flash_seed", "written")]
    written = read_target(disk, source.size)
    assert written[4 * CHUNK : 5 * CHUNK] == seed[4]
    assert written[: 4 * CHUNK] + written[5 * CHUNK :] == bytes(source.disk[: 4 * CHUNK] + source.disk[5 * CHUNK :])
    ledger = (folder / "chunks").read_text()
    assert "w 3 " in ledger and "w 4 " not in ledger


def test_what_the_image_has_under_the_settings_has_to_be_told(
    box: Box, source: Source, disk: str, feed: Any
) -> None:
    _, feeder, _ = seeded(box, source, disk, feed, root_of(source))
    feeder.ask("flush", "flushed")
    feeder.send("seal")
    assert "of each" in feeder.refused("bad_command")


def test_another_image_around_the_settings_starts_nothing(
    box: Box, source: Source, disk: str, feed: Any
) -> None:
    folder, feeder, seed = seeded(box, source, disk, feed, "ab" * 32)
    with pytest.raises(AssertionError):
        feeder.finish(source, seed)
    last, _ = end_of(box, folder)
    assert (last["outcome"], last["code"]) == ("failed", "root_differs")
    assert read_target(disk, source.size)[:CHUNK] == bytes(CHUNK)


def test_the_socket_is_for_those_who_may_read_the_job(box: Box, source: Source, disk: str) -> None:
    folder = box.start("flash_box", orders(source, disk, SIZE))
    wait_until("the socket", (folder / "feed.sock").exists)
    found = wait_until("its mode", lambda: stat.S_IMODE((folder / "feed.sock").stat().st_mode) == 0o660)
    assert found and (folder / "feed.sock").stat().st_gid == folder.stat().st_gid


def test_the_disk_is_held_from_the_begin(box: Box, source: Source, disk: str) -> None:
    folder = box.start("flash_box", orders(source, disk, SIZE))
    wait_until("waiting for a feeder", lambda: waits(folder))
    with pytest.raises(OSError, match="busy"):
        os.close(os.open(disk, os.O_RDWR | os.O_EXCL))


def test_a_second_feeder_is_told_who_feeds(box: Box, source: Source, disk: str, feed: Any) -> None:
    folder = box.start("flash_box", orders(source, disk, SIZE))
    first = feed(folder, name="ada on laptop-1")
    first.open(source, named(disk))
    second = feed(folder, key="other", name="bob on laptop-2")
    second.send("open", feeder={"key": "other", "name": "bob on laptop-2"})
    assert second.refused("feeder_busy") == "ada on laptop-1 feeds this disk"
    first.ask("wipe", "wiped")
    first.leave()
    third = feed(folder, key="other", name="bob on laptop-2")
    wait_until("the first to be gone", lambda: len(waits(folder)) >= 2)
    third.open(source, named(disk))


def test_the_same_feeder_takes_the_place_of_its_dead_connection(
    box: Box, source: Source, disk: str, feed: Any
) -> None:
    folder = box.start("flash_box", orders(source, disk, SIZE))
    first = feed(folder, silent=True)
    first.open(source, named(disk))
    first.ask("wipe", "wiped")
    first.write(source, [1, 2, 3])
    first.wait_written(3)
    # It is not closed: behind a cut cable nobody says so.
    second = feed(folder)
    assert second.open(source, named(disk))["have"] == 3
    assert second.have(source) == {c: (source.sha256(c), False) for c in (1, 2, 3)}
    assert first.ended


def test_a_feeder_dies_and_the_next_goes_on(box: Box, source: Source, disk: str, feed: Any) -> None:
    folder = box.start("flash_box", orders(source, disk, SIZE))
    first = feed(folder)
    first.open(source, named(disk))
    first.ask("wipe", "wiped")
    first.write(source, [1, 2, 3, 4])
    first.wait_written(4)
    # In the middle of a chunk, without a flush.
    first.send(
        "data", source.bytes_of(5)[:1000] if 5 in source.extents else b"", chunk=5, bytes=source.length(5)
    )
    first.leave()
    wait_until("waiting for another", lambda: sum(e["state"] == "begin" for e in waits(folder)) >= 1)
    second = feed(folder)
    second.open(source, named(disk))
    assert second.have(source) == {c: (source.sha256(c), False) for c in (1, 2, 3, 4)}
    second.ask("wipe", "wiped")
    rest = [c for c in source.unsealed() if c > 4]
    second.write(source, rest)
    second.wait_written(len(rest))
    second.ask("flush", "flushed")
    assert second.read(source, 0, 3) == {0: None, 1: source.sha256(1), 2: source.sha256(2)}
    assert second.have(source)[1] == (source.sha256(1), True)
    second.finish(source)
    last, _ = end_of(box, folder)
    assert last["outcome"] == "passed"
    assert read_target(disk, source.size) == bytes(source.disk)


def test_a_close_without_reading_back_is_no_success(box: Box, source: Source, disk: str, feed: Any) -> None:
    folder = box.start("flash_box", orders(source, disk, SIZE))
    feeder = feed(folder)
    feeder.open(source, named(disk))
    feeder.ask("wipe", "wiped")
    feeder.write(source, source.unsealed())
    feeder.wait_written(len(source.unsealed()))
    feeder.ask("flush", "flushed")
    feeder.ask("seal", "sealed")
    feeder.write(source, [0, source.chunks - 1])
    feeder.wait_written(source.chunks)
    feeder.send("close")
    assert "were not read back" in feeder.refused("order")
    assert not (folder / "result.json").exists(), "what one feeder does wrong another can mend"


def test_another_disk_hash_than_the_manifests_fails(box: Box, source: Source, disk: str, feed: Any) -> None:
    folder = box.start("flash_box", orders(source, disk, SIZE, diskRoot="0" * 64))
    feeder = feed(folder)
    feeder.open(source, named(disk))
    feeder.ask("wipe", "wiped")
    feeder.write(source, source.unsealed())
    feeder.wait_written(len(source.unsealed()))
    with pytest.raises(AssertionError):
        feeder.finish(source)
    feeder.refused("root_differs")
    last, _ = end_of(box, folder)
    assert (last["outcome"], last["code"]) == ("failed", "root_differs")
    assert not any(read_target(disk, source.size)[:CHUNK]), "it starts nothing"


def test_a_disk_that_does_not_keep_its_bytes_fails(
    box: Box, source: Source, disk: str, feed: Any, tmp_path: Path
) -> None:
    folder = box.start("flash_box", orders(source, disk, SIZE))
    feeder = feed(folder)
    feeder.open(source, named(disk))
    feeder.ask("wipe", "wiped")
    feeder.write(source, source.unsealed())
    feeder.wait_written(len(source.unsealed()))
    feeder.ask("flush", "flushed")
    with open(tmp_path / "target", "r+b") as f:
        f.seek(2 * CHUNK + 5000)
        f.write(b"rot")
        f.flush()
        os.fsync(f.fileno())
    feeder.send("read", chunk=0, count=source.chunks)
    assert "chunk 2," in feeder.refused("verify_failed")
    last, _ = end_of(box, folder)
    assert (last["outcome"], last["code"]) == ("failed", "verify_failed")


def test_other_orders_than_the_jobs_are_refused(box: Box, source: Source, disk: str, feed: Any) -> None:
    folder = box.start("flash_box", orders(source, disk, SIZE))

    def refused(code: str, target: dict[str, Any], **more: Any) -> None:
        feeder = feed(folder)
        with pytest.raises(AssertionError):
            feeder.open(source, target, **more)
        feeder.refused(code)
        feeder.leave()

    refused("target_mismatch", {**named(disk), "size": SIZE - 512})
    refused("target_mismatch", {**named(disk), "serial": "S1"})
    refused("image_mismatch", named(disk), sealed=[0])
    refused("image_mismatch", named(disk), imageId="image-2")
    refused("bad_command", named(disk), image={"path": "/etc/shadow"})
    refused("bad_command", named(disk), feeder={"key": "", "name": "x"})
    refused("bad_command", named(disk), feeder=None)
    feeder = feed(folder)
    feeder.open(source, named(disk))
    feeder.send("data", b"x", chunk=1, bytes=source.length(1), encoding="lz4")
    assert "'lz4'" in feeder.refused("bad_command")
    good = feed(folder)
    wait_until("the job waits again", lambda: events(folder)[-1]["kind"] in ("waiting", "beat"))
    good.open(source, named(disk))


def packed(*pieces: bytes) -> bytes:
    return b"".join(
        subprocess.run(["zstd", "-q", "-c"], input=p, capture_output=True, check=True).stdout for p in pieces
    )


def test_clusters_are_taken_as_an_image_stores_them(box: Box, source: Source, disk: str, feed: Any) -> None:
    folder = box.start("flash_box", orders(source, disk, SIZE))
    feeder = feed(folder)
    feeder.open(source, named(disk))
    feeder.ask("wipe", "wiped")
    rng = random.Random(5)
    one, two, plain = rng.randbytes(300) * 200, b"x" * 65536, rng.randbytes(512)
    # Two frames for one cluster, and bytes of others behind and between them, as sectors have them.
    first, second = packed(one[:1000], one[1000:]) + b"\0\1\2", packed(two)
    payload = b"??" + first + plain + second
    parts = [
        [CHUNK - 65536, len(two), 2 + len(first) + len(plain), len(second)],
        [4096, len(one), 2, len(first)],
        [1024 * 1024, len(plain), 2 + len(first), 0],
    ]
    feeder.send("data", payload, chunk=2, bytes=len(payload), encoding="zstd", parts=parts)
    chunk = bytearray(CHUNK)
    chunk[4096 : 4096 + len(one)] = one
    chunk[1024 * 1024 : 1024 * 1024 + len(plain)] = plain
    chunk[-65536:] = two
    (written,) = feeder.wait("written")
    assert written["sha256"] == hashlib.sha256(chunk).hexdigest()
    feeder.ask("flush", "flushed")
    assert feeder.read(source, 2, 1) == {2: written["sha256"]}
    assert read_target(disk, 3 * CHUNK)[2 * CHUNK :] == bytes(chunk)


@pytest.mark.parametrize(
    "damage",
    [
        lambda good: good[: len(good) // 2],
        lambda good: b"\0" * len(good),
        lambda good: packed(b"x" * 65535),
        lambda good: packed(b"x" * 65537),
        lambda good: packed(b"x" * 60000, b"x" * 60000),
        lambda good: good[:8] + bytes([good[8] ^ 255]) + good[9:],
    ],
    ids=["cut off", "zeros", "less", "more", "two that are more", "another byte"],
)
def test_a_damaged_cluster_is_the_image_s_fault_and_the_job_goes_on(
    box: Box, source: Source, disk: str, feed: Any, damage: Any
) -> None:
    folder = box.start("flash_box", orders(source, disk, SIZE))
    feeder = feed(folder)
    feeder.open(source, named(disk))
    feeder.ask("wipe", "wiped")
    payload = damage(packed(b"x" * 65536))
    parts = [[0, 65536, 0, len(payload)]]
    feeder.send("data", payload, chunk=2, bytes=len(payload), encoding="zstd", parts=parts)
    assert "zstd" in feeder.refused("image_corrupt")
    feeder.leave()
    good = feed(folder)
    assert good.open(source, named(disk))["have"] == 0


def killed(box: Box, source: Source, disk: str, feed: Any, unflushed: Sequence[int] = ()) -> dict[str, Any]:
    """The orders of a job that was killed when it had written and flushed chunks 1 to 3."""
    spec = box.spec("flash_box", orders(source, disk, SIZE))
    folder = Path(box.launch(spec)["dir"])
    first = feed(folder)
    first.open(source, named(disk))
    first.ask("wipe", "wiped")
    first.write(source, [1, 2, 3])
    first.wait_written(3)
    first.ask("flush", "flushed")
    first.write(source, [*unflushed])
    first.wait_written(3 + len(unflushed))
    for pid in processes_of(folder):
        os.kill(pid, signal.SIGKILL)
    wait_until("the end of all", lambda: not processes_of(folder))
    return spec


def test_a_killed_job_leaves_its_record_to_the_next_attempt(
    box: Box, source: Source, disk: str, feed: Any
) -> None:
    spec = killed(box, source, disk, feed, unflushed=[4])
    again = Path(box.launch({**spec, "attempt": 2})["dir"])
    second = feed(again)
    assert second.open(source, named(disk))["have"] == 3
    second.ask("wipe", "wiped")
    rest = [c for c in source.unsealed() if c > 3]
    second.write(source, rest)
    second.wait_written(len(rest))
    second.finish(source)
    last, _ = end_of(box, again)
    assert last["outcome"] == "passed"
    assert last["counts"]["ok"] == 3
    assert read_target(disk, source.size) == bytes(source.disk)


def test_the_record_of_a_killed_job_may_be_wrong(box: Box, source: Source, disk: str, feed: Any) -> None:
    """Another machine wrote to the disk in between: it is found and written again."""
    spec = killed(box, source, disk, feed)
    with open(disk, "r+b") as f:
        f.seek(2 * CHUNK)
        f.write(b"somebody else")
        f.flush()
        os.fsync(f.fileno())
    again = Path(box.launch({**spec, "attempt": 2})["dir"])
    second = feed(again)
    second.open(source, named(disk))
    second.ask("wipe", "wiped")
    found = second.read(source, 1, 3)
    assert found[2] != source.sha256(2) and found[1] == source.sha256(1)
    assert second.have(source) == {1: (source.sha256(1), True), 3: (source.sha256(3), True)}
    second.write(source, [2, *(c for c in source.unsealed() if c > 3)])
    second.wait_written(len(source.unsealed()) - 2)
    second.finish(source)
    last, _ = end_of(box, again)
    assert last["outcome"] == "passed"
    assert read_target(disk, source.size) == bytes(source.disk)


def test_a_cancel_ends_it_while_it_waits_and_while_it_is_fed(
    box: Box, source: Source, disk: str, feed: Any
) -> None:
    for fed in (False, True):
        folder = box.start("flash_box", orders(source, disk, SIZE))
        wait_until("waiting for a feeder", lambda at=folder: waits(at))
        if fed:
            feeder = feed(folder)
            feeder.open(source, named(disk))
            feeder.ask("wipe", "wiped")
            feeder.write(source, [1, 2])
            feeder.wait_written(2)
        began = time.monotonic()
        (folder / "control" / "cancel").touch()
        last, _ = end_of(box, folder)
        assert last["outcome"] == "cancelled"
        assert time.monotonic() - began < 15
        with open(disk, "rb") as f:
            assert any(f.read(CHUNK)) is not fed, "what was wiped starts nothing"


def test_a_disk_in_use_is_never_begun(box: Box, source: Source, disk: str) -> None:
    held = os.open(disk, os.O_RDWR | os.O_EXCL)
    try:
        last, _ = end_of(box, box.start("flash_box", orders(source, disk, SIZE)))
        assert (last["outcome"], last["code"]) == ("failed", "target_in_use")
    finally:
        os.close(held)


def test_orders_that_are_none_are_refused(box: Box, source: Source, disk: str) -> None:
    def code(**more: Any) -> str:
        last, _ = end_of(box, box.start("flash_box", orders(source, disk, SIZE, **more)))
        assert last["outcome"] == "failed"
        return last["code"]

    assert code(sealed=[1]) == "spec_invalid"
    assert code(virtualSize=0) == "spec_invalid"
    assert code(target={"serial": None, "path": "relative", "size": SIZE}) == "spec_invalid"
    assert code(target={"serial": "NOBODY-HAS-THIS", "size": SIZE}) == "target_missing"
    assert code(target={"serial": None, "path": disk, "size": SIZE + 512}) == "target_size"
    assert code(virtualSize=SIZE + 512, sealed=[0]) == "target_size"


@pytest.mark.parametrize("seed", [3])
def test_feeders_that_die_at_any_moment(box: Box, source: Source, disk: str, feed: Any, seed: int) -> None:
    """Each feeder does what the app does and dies after some commands, now and then within a chunk; the last one lives."""
    rng = random.Random(seed)
    folder = box.start("flash_box", orders(source, disk, SIZE, diskRoot=root_of(source)))
    for number in range(12):
        feeder = feed(folder, key=f"feeder-{number}")
        wait_until(
            "the feeder before to be gone",
            lambda n=number: sum(e["state"] == "begin" for e in waits(folder)) > n,
        )
        feeder.open(source, named(disk))
        have = feeder.have(source)
        assert all(digest == source.sha256(chunk) for chunk, (digest, _) in have.items())
        feeder.ask("wipe", "wiped")
        todo = [c for c in source.unsealed() if c not in have]
        if number == 11:
            feeder.write(source, todo)
            feeder.wait_written(len(todo))
            feeder.finish(source)
            break
        feeder.write(source, todo[: rng.randrange(3)])
        if rng.random() < 0.5:
            feeder.wait_written(min(1, len(todo[:1])) if feeder.of("written") else 0)
        if rng.random() < 0.5 and 2 in source.extents:
            feeder.send("data", source.bytes_of(2)[: rng.randrange(CHUNK)], chunk=2, bytes=CHUNK)
        if rng.random() < 0.3:
            feeder.send("flush")
            feeder.send("read", chunk=0, count=source.chunks)
        if rng.random() < 0.3:
            feeder.send("seal")
        feeder.leave()
    last, _ = end_of(box, folder)
    assert (last["outcome"], last["code"]) == ("passed", None)
    assert read_target(disk, source.size) == bytes(source.disk)
