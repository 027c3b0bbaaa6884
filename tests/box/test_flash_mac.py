"""Tags of chunks: those of AES-GMAC as another program computes it, for what is written and for what is read back."""

import os
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from vcflash import mac

from flashing import CHUNK, MIB, Source, writers

__all__ = ["writers"]
KEY = bytes(range(16))


def expected(data: bytes, chunk: int) -> str:
    return AESGCM(KEY).encrypt(chunk.to_bytes(12, "big"), b"", data).hex()


def test_a_tag_is_that_of_aes_gmac_with_the_chunk_as_its_nonce() -> None:
    tags = mac.Mac(KEY)
    for size, chunk in ((1, 0), (512, 1), (CHUNK - 512, 7), (CHUNK, 4_194_303)):
        data = os.urandom(size)
        assert tags.of(memoryview(bytearray(data)), chunk) == expected(data, chunk)
    data = memoryview(bytearray(CHUNK))
    first = tags.of(data, 3)
    assert first == tags.of(data, 3) != tags.of(data, 4)
    data[12345] ^= 1
    assert tags.of(data, 3) != first


def test_what_is_written_has_tags_and_what_is_read_back_both(writers: Any, tmp_path: Path) -> None:
    source = Source(tmp_path, 9 * CHUNK + 3 * 512, seed=11)
    writer = writers()
    fields = source.open_fields("file", str(tmp_path / "target"), 48 * MIB, mac=KEY.hex())
    assert writer.ask("open", "opened", **fields)["mac"] is True
    writer.ask("wipe", "wiped")
    source.write(writer, source.unsealed())
    blank = next(c for c in source.unsealed() if c not in source.extents)
    writer.send("data", bytes(CHUNK), bytes=CHUNK, chunk=blank, encoding="plain")
    writer.ask("flush", "flushed")
    assert blank in [answer["chunk"] for answer in writer.of("written")]
    for answer in writer.of("written"):
        chunk = answer["chunk"]
        wanted = {"sha256": None} if chunk == blank else {"mac": expected(source.bytes_of(chunk), chunk)}
        assert {k: v for k, v in answer.items() if k in ("mac", "sha256")} == wanted
    writer.ask("read", "read", chunk=0, count=source.chunks)
    for answer in writer.wait("read", source.chunks):
        chunk = answer["chunk"]
        if chunk not in source.unsealed() or source.sha256(chunk) is None:
            assert answer["sha256"] is None and "mac" not in answer
        else:
            assert answer["sha256"] == source.sha256(chunk)
            assert answer["mac"] == expected(source.bytes_of(chunk), chunk)


def test_without_openssl_hashes_are_told_as_ever(writers: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(mac, "_NAMES", ("libcrypto.so.none",))
    assert mac._load() is None
    source = Source(tmp_path, 3 * CHUNK, seed=12)
    writer = writers()
    writer.ask("open", "opened", **source.open_fields("file", str(tmp_path / "target"), 16 * MIB))
    assert writer.of("opened")[0]["mac"] is False
