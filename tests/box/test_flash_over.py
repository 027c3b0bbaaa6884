"""Parts of a chunk that go over what the disk has there, and the tags of blocks by which an app knows which parts those are."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flashing import CHUNK, MIB, Source, read_target, writers

__all__ = ["writers"]
KEY = bytes(range(16))
BLOCK = 64 * 1024
VIRTUAL = 9 * CHUNK + BLOCK + 3 * 512


def tag(data: bytes, chunk: int, part: int = 0) -> str:
    nonce = part.to_bytes(8, "big") + chunk.to_bytes(4, "big")
    return AESGCM(KEY).encrypt(nonce, b"", data).hex()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target"


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path, VIRTUAL, seed=21)


@pytest.fixture
def writer(writers: Any, source: Source, target: Path) -> Any:
    """One that has written all of the image but the sealed chunks."""
    writer = writers()
    writer.ask("open", "opened", **source.open_fields("file", str(target), 48 * MIB, mac=KEY.hex()))
    writer.ask("wipe", "wiped")
    source.write(writer, source.unsealed())
    writer.ask("flush", "flushed")
    return writer


def over(writer: Any, payload: bytes, chunk: int, parts: list[list[int]]) -> dict[str, Any]:
    before = len(writer.of("written"))
    writer.send("data", payload, bytes=len(payload), chunk=chunk, encoding="over", parts=parts)
    answer: dict[str, Any] = writer.wait("written", before + 1)[-1]
    return answer


def data_chunk(source: Source) -> int:
    return next(c for c in source.unsealed() if c in source.extents)


def test_tags_of_blocks_are_those_of_what_the_disk_has(writer: Any, source: Source) -> None:
    for chunk in source.unsealed():
        answer = writer.ask("blocks", "blocks", chunk=chunk)
        held = source.bytes_of(chunk)
        blocks = [held[at : at + BLOCK] for at in range(0, len(held), BLOCK)]
        assert answer["macs"] == [tag(block, chunk, n + 1) for n, block in enumerate(blocks)]
        assert answer["chunk"] == chunk


def test_parts_go_over_what_is_there(writer: Any, source: Source, target: Path) -> None:
    chunk = data_chunk(source)
    one, two = b"1" * BLOCK, b"2" * (2 * BLOCK)
    parts = [[BLOCK, BLOCK, 0, 0], [CHUNK - 2 * BLOCK, 2 * BLOCK, BLOCK, 0]]
    answer = over(writer, one + two, chunk, parts)
    wanted = bytearray(source.bytes_of(chunk))
    wanted[BLOCK : 2 * BLOCK], wanted[-2 * BLOCK :] = one, two
    assert answer == {"is": "written", "chunk": chunk, "mac": tag(bytes(wanted), chunk)}
    writer.ask("flush", "flushed")
    assert writer.ask("read", "read", chunk=chunk, count=1)["mac"] == answer["mac"]
    assert read_target(str(target), (chunk + 1) * CHUNK)[chunk * CHUNK :] == bytes(wanted)


def test_the_answer_tells_what_came_of_another_disk_than_was_believed(
    writer: Any, source: Source, target: Path
) -> None:
    chunk = data_chunk(source)
    with target.open("r+b") as file:
        file.seek(chunk * CHUNK + 10 * BLOCK)
        file.write(b"somebody else's")
    answer = over(writer, b"1" * BLOCK, chunk, [[0, BLOCK, 0, 0]])
    believed = bytearray(source.bytes_of(chunk))
    believed[:BLOCK] = b"1" * BLOCK
    there = bytearray(believed)
    there[10 * BLOCK : 10 * BLOCK + 15] = b"somebody else's"
    assert answer["mac"] == tag(bytes(there), chunk) != tag(bytes(believed), chunk)


def test_without_a_key_there_are_no_tags_of_blocks(writers: Any, source: Source, target: Path) -> None:
    writer = writers()
    writer.ask("open", "opened", **source.open_fields("file", str(target), 48 * MIB))
    writer.ask("wipe", "wiped")
    writer.send("blocks", chunk=1)
    assert "under a key" in writer.failed("bad_command")["detail"]


def test_what_comes_after_the_last_block_is_a_part_as_well(writers: Any, tmp_path: Path) -> None:
    """The disk's last chunk ends in the middle of a block."""
    source = Source(tmp_path, VIRTUAL, seed=22)
    writer = writers()
    fields = source.open_fields("file", str(tmp_path / "odd"), 48 * MIB, mac=KEY.hex())
    writer.ask("open", "opened", **{**fields, "sealed": [0]})
    writer.ask("wipe", "wiped")
    last, rest = source.chunks - 1, 3 * 512
    held = bytes(range(256)) * 256 + bytes(rest)
    writer.send("data", held, bytes=len(held), chunk=last, encoding="plain")
    writer.wait("written", 1)
    wanted = held[:BLOCK] + b"z" * rest
    assert over(writer, b"z" * rest, last, [[BLOCK, rest, 0, 0]])["mac"] == tag(wanted, last)
    writer.ask("flush", "flushed")
    assert writer.ask("read", "read", chunk=last, count=1)["mac"] == tag(wanted, last)
