"""Parts of a chunk that go over what the disk has there, and the tags of blocks by which an app knows which parts those are."""

import errno
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from vcflash.engine import Engine, Stopped
from vcflash.frames import Disk, Failed, TargetName
from vcflash.mac import Mac
from vcflash.target import Target

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


def over(
    writer: Any, payload: bytes, chunk: int, parts: list[list[int]], mac: str, answer: str = "written"
) -> dict[str, Any]:
    before = len(writer.of(answer))
    fields = {"bytes": len(payload), "chunk": chunk, "encoding": "over", "parts": parts, "mac": mac}
    writer.send("data", payload, **fields)
    found: dict[str, Any] = writer.wait(answer, before + 1)[-1]
    return found


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
    wanted = bytearray(source.bytes_of(chunk))
    wanted[BLOCK : 2 * BLOCK], wanted[-2 * BLOCK :] = one, two
    answer = over(writer, one + two, chunk, parts, tag(bytes(wanted), chunk))
    assert answer == {"is": "written", "chunk": chunk, "mac": tag(bytes(wanted), chunk)}
    writer.ask("flush", "flushed")
    assert writer.ask("read", "read", chunk=chunk, count=1)["mac"] == answer["mac"]
    assert read_target(str(target), (chunk + 1) * CHUNK)[chunk * CHUNK :] == bytes(wanted)


def test_nothing_is_written_where_the_disk_has_something_else_than_it_said(
    writer: Any, source: Source, target: Path
) -> None:
    chunk = data_chunk(source)
    with target.open("r+b") as file:
        file.seek(chunk * CHUNK + 10 * BLOCK)
        file.write(b"somebody else's")
    believed = bytearray(source.bytes_of(chunk))
    there = bytearray(believed)
    there[10 * BLOCK : 10 * BLOCK + 15] = b"somebody else's"
    believed[:BLOCK] = b"1" * BLOCK
    mac = tag(bytes(believed), chunk)
    assert over(writer, b"1" * BLOCK, chunk, [[0, BLOCK, 0, 0]], mac, "unlike")["chunk"] == chunk
    writer.ask("flush", "flushed")
    assert writer.ask("read", "read", chunk=chunk, count=1)["mac"] == tag(bytes(there), chunk)


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
    mac = tag(wanted, last)
    assert over(writer, b"z" * rest, last, [[BLOCK, rest, 0, 0]], mac)["mac"] == mac
    writer.ask("flush", "flushed")
    assert writer.ask("read", "read", chunk=last, count=1)["mac"] == tag(wanted, last)


def test_what_cannot_be_read_has_no_tags_and_is_written_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A sector that a power cut left torn gives an error until it is written."""
    told = TargetName("file", str(tmp_path / "torn"), None, CHUNK)
    target = Target(told, CHUNK)
    said: list[dict[str, Any]] = []
    engine = Engine(target, None, Disk(CHUNK), said.append, lambda: None, Mac(KEY))

    def fails(code: int) -> Any:
        def read(*_: Any) -> None:
            raise OSError(code, "as the test says")

        return read

    monkeypatch.setattr(target, "read", fails(errno.EIO))
    engine.blocks(0)
    engine.drain()
    assert said == [{"is": "blocks", "chunk": 0, "macs": []}]
    monkeypatch.setattr(target, "read", fails(errno.ENODEV))
    engine.blocks(0)
    with pytest.raises(Stopped):
        engine.drain()
    assert isinstance(engine.failure, Failed) and engine.failure.code == "target_gone"
