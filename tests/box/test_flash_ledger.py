"""What a flash on a box knows of the disk: its ledger, the file of it, and which disk and machine is meant."""

import os
import random
from pathlib import Path

import pytest
from vcbox.context import JobFailed
from vcbox.flash import find
from vcbox.flash.ledger import Differs, Ledger, read_lines
from vcflash.frames import CHUNK_BYTES, Disk, TargetName

DISK = Disk(5 * CHUNK_BYTES + 512)
HEAD = {"v": 1, "image": {"path": "/image"}}
A, B = "a" * 64, "b" * 64
TAG, OTHER = "c" * 32, "d" * 32


def ledger(path: Path, before: dict[int, str | None] | None = None) -> Ledger:
    path.mkdir(exist_ok=True)
    return Ledger(path / "chunks", DISK, HEAD, before or {})


def wrote(book: Ledger, chunk: int, digest: str | None) -> None:
    book.begun(chunk, 1)
    book.answered({"is": "written", "chunk": chunk, "sha256": digest})


def sync(book: Ledger) -> None:
    with book.syncing():
        pass


def test_what_is_written_while_the_disk_syncs_is_not_had(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    wrote(book, 1, A)
    wrote(book, 2, A)
    with book.syncing():
        wrote(book, 1, B)
        wrote(book, 3, B)
        assert book.have(0, 6) == []
    assert book.have(0, 6) == [[2, A, False]], "chunk 1 was written again behind the sync's begin"
    sync(book)
    assert book.have(0, 6) == [[1, B, False], [2, A, False], [3, B, False]]


def test_a_sync_that_fails_leaves_nothing_to_be_had(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    wrote(book, 1, A)
    with pytest.raises(OSError, match="broken"), book.syncing():
        raise OSError("broken")
    book.forget()
    sync(book)
    assert book.have(0, 6) == []


def test_how_much_was_moved_is_told_of_the_step_that_writes(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    for chunk in (0, 1, 5):
        wrote(book, chunk, A)
    book.answered({"is": "zeroed", "chunk": 2, "count": 1})
    assert book.moved(()) == (2 * CHUNK_BYTES + 512, 0)
    sync(book)
    book.answered({"is": "read", "chunk": 2, "sha256": None})
    # What is sealed comes in a step of its own.
    assert book.moved((0, 5)) == (CHUNK_BYTES, CHUNK_BYTES)


def test_only_what_was_synced_is_had(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    wrote(book, 1, A)
    book.answered({"is": "zeroed", "chunk": 2, "count": 2})
    assert book.have(0, 6) == []
    sync(book)
    assert book.have(0, 6) == [[1, A, False], [2, None, False], [3, None, False]]
    assert book.have(2, 1) == [[2, None, False]]
    wrote(book, 4, B)
    book.forget()
    sync(book)
    assert [c for c, *_ in book.have(0, 6)] == [1, 2, 3]


def test_a_chunk_is_verified_until_it_is_written_again(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    wrote(book, 1, A)
    sync(book)
    book.answered({"is": "read", "chunk": 1, "sha256": A})
    assert book.have(1, 1) == [[1, A, True]]
    assert book.lacking() == 5
    book.begun(1, 1)
    assert book.have(1, 1) == []
    assert book.lacking() == 6


def test_a_broken_disk_is_told_from_an_old_belief(tmp_path: Path) -> None:
    book = ledger(tmp_path, {2: A})
    book.answered({"is": "read", "chunk": 2, "sha256": B})
    assert book.have(0, 6) == [], "another machine wrote to it"
    wrote(book, 3, A)
    sync(book)
    with pytest.raises(Differs, match="chunk 3, at byte 12582912"):
        book.answered({"is": "read", "chunk": 3, "sha256": None})


def test_tags_are_told_to_the_feeder_whose_key_they_are_of(tmp_path: Path) -> None:
    book = ledger(tmp_path, {0: A})
    book.tagged_by(b"one")
    for chunk, tag in ((1, TAG), (2, TAG), (3, TAG)):
        book.begun(chunk, 1)
        book.answered({"is": "written", "chunk": chunk, "mac": tag})
    sync(book)
    # Read back it is known by its SHA-256, of which the disk's hash is made.
    book.answered({"is": "read", "chunk": 1, "sha256": B, "mac": TAG})
    assert book.have(0, 6) == [[0, A, False], [1, B, True], [2, TAG, False], [3, TAG, False]]
    with pytest.raises(Differs, match="chunk 2"):
        book.answered({"is": "read", "chunk": 2, "sha256": B, "mac": OTHER})
    book.tagged_by(b"two")
    assert book.have(0, 6) == [[0, A, False], [1, B, True]]
    # With another key nobody can say whether it is as it was written: not a broken disk, and not had.
    book.answered({"is": "read", "chunk": 3, "sha256": B, "mac": OTHER})
    book.tagged_by(b"one")
    assert book.have(0, 6) == [[0, A, False], [1, B, True], [2, TAG, False]]
    book.close()
    again = ledger(tmp_path / "next", read_lines(tmp_path / "chunks", HEAD))
    again.tagged_by(b"two")
    assert again.have(0, 6) == [[0, A, False]]
    again.tagged_by(b"one")
    assert again.have(0, 6) == [[0, A, False], [1, TAG, False], [2, TAG, False]]
    again.answered({"is": "read", "chunk": 1, "sha256": None})
    assert again.have(0, 6) == [[0, A, False], [2, TAG, False]], "zeros have no tag"


def test_wiping_voids(tmp_path: Path) -> None:
    book = ledger(tmp_path, {0: A, 1: A, 5: None})
    book.answered({"is": "wiped", "chunks": [0, 5]})
    assert [c for c, *_ in book.have(0, 6)] == [1]
    book.answered({"is": "read", "chunk": 0, "sha256": None})
    assert not book.knows([0]), "zeros where the tables will be are no proof of them"


def test_the_file_says_the_same(tmp_path: Path) -> None:
    book = ledger(tmp_path, {4: B})
    for chunk, digest in ((0, A), (1, None), (2, A)):
        wrote(book, chunk, digest)
    sync(book)
    book.answered({"is": "wiped", "chunks": [0]})
    wrote(book, 2, B)
    book.close()
    assert read_lines(tmp_path / "chunks", HEAD) == {1: None, 4: B}
    assert read_lines(tmp_path / "chunks", {**HEAD, "v": 2}) == {}
    assert read_lines(tmp_path / "nothing", HEAD) == {}


def test_a_torn_file_is_believed_up_to_there(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    for chunk in range(6):
        wrote(book, chunk, A if chunk % 2 else None)
        sync(book)
    book.close()
    path = tmp_path / "chunks"
    whole, full = path.read_bytes(), read_lines(path, HEAD)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        found = read_lines(path, HEAD)
        assert found.items() <= full.items()
    rng = random.Random(5)
    for _ in range(200):
        spoiled = bytearray(whole)
        spoiled[rng.randrange(len(whole))] = rng.randrange(256)
        path.write_bytes(spoiled)
        read_lines(path, HEAD)


def test_a_full_box_ends_no_flash(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    assert book.file is not None
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, book.file)
    os.close(full)
    wrote(book, 1, A)
    sync(book)
    assert book.file is None
    assert book.have(0, 6) == [[1, A, False]]
    wrote(book, 2, A)
    sync(book)
    book.close()


def disk(root: Path, name: str, number: str, serial: str, size: int) -> None:
    folder = root / "sys" / "devices" / name
    (folder / "queue").mkdir(parents=True)
    (folder / "device").mkdir()
    for file, text in (("dev", number), ("size", str(size // 512)), ("ro", "0"), ("device/serial", serial)):
        (folder / file).write_text(f"{text}\n")
    for links, link in (("block", name), ("dev/block", number)):
        (root / "sys" / links).mkdir(parents=True, exist_ok=True)
        (root / "sys" / links / link).symlink_to(folder)


def test_a_disk_is_found_by_serial_wherever_it_is_now(tmp_path: Path) -> None:
    disk(tmp_path, "nvme0n1", "259:0", "S1", 1 << 30)
    disk(tmp_path, "nvme1n1", "259:1", "S 2", 1 << 30)
    told = {"serial": "S 2", "path": "/dev/nvme0n1", "size": 1 << 30}
    assert find.locate(told, str(tmp_path)) == TargetName("disk", "/dev/nvme1n1", "S 2", 1 << 30)
    for change, code in (
        ({"serial": "S3"}, "target_missing"),
        ({"size": 1 << 29}, "target_missing"),
        ({"serial": ""}, "spec_invalid"),
        ({"size": True}, "spec_invalid"),
        ({"serial": None, "path": "nvme0n1"}, "spec_invalid"),
    ):
        with pytest.raises(JobFailed) as e:
            find.locate({**told, **change}, str(tmp_path))
        assert e.value.code == code
    disk(tmp_path, "sda", "8:0", "S 2", 1 << 30)
    with pytest.raises(JobFailed, match="nvme1n1 and sda") as e:
        find.locate(told, str(tmp_path))
    assert e.value.code == "target_serial"


def test_another_machine_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "sys" / "class" / "dmi" / "id"
    folder.mkdir(parents=True)
    (folder / "board_serial").write_text("BOARD-1\n")
    (folder / "product_uuid").write_text("\n")
    found = find.machine(str(tmp_path))
    assert found == {"boardSerial": "BOARD-1", "productUuid": None}
    for wanted in (None, {}, {"boardSerial": "board-1"}, {"boardSerial": None, "productUuid": "U"}):
        find.must_be(wanted, found)
    with pytest.raises(JobFailed) as e:
        find.must_be({"boardSerial": "BOARD-2"}, found)
    assert e.value.code == "flash_other_box"
