"""Frames and commands: whatever comes is a command that keeps to the disk, or a named refusal. Also what is written of a chunk."""

import ast
import io
import json
import random
from typing import Any

import pytest
from vcflash import frames, plan, zstd
from vcflash.frames import CHUNK_BYTES, Closed, Copy, Data, Disk, Failed, Open, Read, Seal, Zero

from harness import SOURCE

DISK = Disk(10 * CHUNK_BYTES + 1536)
OPEN = {
    "do": "open",
    "v": 1,
    "target": {"kind": "disk", "path": "/dev/x", "serial": "A1", "size": DISK.size},
    "image": {"path": "/image"},
    "virtualSize": DISK.size,
    "sealed": [0, 10],
}
COPY = {"do": "copy", "chunk": 3, "extents": [[4096, 512, 0], [0, 4096, 70000]]}
VALID = [
    COPY,
    {"do": "data", "chunk": 10, "bytes": 1536},
    {"do": "zero", "chunk": 3, "count": 8},
    {"do": "read", "chunk": 0, "count": 11},
    {"do": "blocks", "chunk": 10},
    *({"do": name} for name in ("wipe", "flush", "checkpoint", "seal", "close")),
]
PARTS = {
    "do": "data",
    "chunk": 3,
    "bytes": 900,
    "encoding": "zstd",
    "parts": [[65536, 512, 388, 0], [0, 65536, 0, 388]],
}


OVER = {
    "do": "data",
    "chunk": 3,
    "bytes": 131072,
    "encoding": "over",
    "parts": [[65536, 131072, 0, 0]],
    "mac": "ab" * 16,
}


def stream(*headers: Any) -> io.BytesIO:
    return io.BytesIO(b"".join(frames.encode(h) for h in headers))


def refused(header: Any, disk: Disk | None = DISK) -> Failed:
    with pytest.raises(Failed) as e:
        frames.parse(header, disk)
    return e.value


def test_every_command_comes_through_a_frame() -> None:
    found = [frames.parse(frames.read_header(stream(h)), DISK) for h in VALID]
    assert [type(c).__name__.lower() for c in found] == [h["do"] for h in VALID]
    assert found[0] == Copy(3, [(0, 4096, 70000), (4096, 512, 0)])
    opened = frames.parse(OPEN, None)
    assert isinstance(opened, Open)
    assert opened.sealed == (0, 10) and opened.target.serial == "A1" and opened.image == "/image"


@pytest.mark.parametrize(
    ("command", "change"),
    [
        (COPY, {"chunk": 11}),
        (COPY, {"chunk": -1}),
        (COPY, {"chunk": True}),
        (COPY, {"chunk": 3.0}),
        (COPY, {"bytes": 4}),
        (COPY, {"extents": [[0, 4096, 0], [4095, 1, 0]]}),
        (COPY, {"extents": [[0, 0, 0]]}),
        (COPY, {"extents": [[-1, 4, 0]]}),
        (COPY, {"extents": [[0, 4, -1]]}),
        (COPY, {"extents": [[CHUNK_BYTES - 4, 5, 0]]}),
        (COPY, {"chunk": 10, "extents": [[0, 1537, 0]]}),
        (COPY, {"extents": [[0, 4]]}),
        (VALID[1], {"bytes": 1535}),
        (VALID[1], {"bytes": CHUNK_BYTES}),
        (PARTS, {"parts": None}),
        (PARTS, {"parts": [[0, 65536, 0]]}),
        (PARTS, {"parts": [[0, 65536, 0, True]]}),
        (PARTS, {"parts": [[0, 65536, 0, 901]]}),
        (PARTS, {"parts": [[0, 65536, 600, 301]]}),
        (PARTS, {"parts": [[0, 901, 0, 0]]}),
        (PARTS, {"parts": [[0, 512, -1, 0]]}),
        (PARTS, {"parts": [[0, 512, 0, -1]]}),
        (PARTS, {"parts": [[0, 0, 0, 5]]}),
        (PARTS, {"parts": [[0, 512, 0, 5], [511, 512, 5, 5]]}),
        (PARTS, {"parts": [[CHUNK_BYTES - 4, 5, 0, 9]]}),
        (PARTS, {"bytes": 0}),
        (PARTS, {"bytes": CHUNK_BYTES + 1}),
        (PARTS, {"encoding": "lz4"}),
        (OVER, {"parts": [[65536, 131072, 0, 900]]}),
        (OVER, {"parts": [[65535, 131072, 0, 0]]}),
        (OVER, {"parts": [[0, 131071, 0, 0]]}),
        (OVER, {"parts": [[0, 65536, 0, 0], [0, 65536, 65536, 0]]}),
        (OVER, {"chunk": 10}),
        (OVER, {"mac": None}),
        (OVER, {"mac": "ab" * 32}),
        ({"do": "blocks"}, {"chunk": 11}),
        ({"do": "blocks"}, {}),
        (VALID[2], {"count": 9}),
        (VALID[2], {"count": 0}),
        (VALID[3], {"count": 12}),
        ({"do": "seal"}, {"image": {"3": None}}),
        ({"do": "seal"}, {"image": [3]}),
        ({"do": "seal"}, {"image": [[11, None]]}),
        ({"do": "seal"}, {"image": [[True, None]]}),
        ({"do": "seal"}, {"image": [[3, "ab"]]}),
        ({"do": "seal"}, {"image": [[3, 7]]}),
        ({"do": "format"}, {}),
        ({"do": ["wipe"]}, {}),
    ],
)
def test_what_leaves_the_disk_or_is_no_number_is_refused(
    command: dict[str, Any], change: dict[str, Any]
) -> None:
    assert refused({**command, **change}).code == "bad_command"


def test_parts_of_a_chunk_come_in_order() -> None:
    assert frames.parse(PARTS, DISK) == Data(3, 900, [(0, 65536, 0, 388), (65536, 512, 388, 0)])
    assert frames.parse(OVER, DISK) == Data(3, 131072, [(65536, 131072, 0, 0)], "ab" * 16)
    # What is left at the disk's end is less than a block.
    end = {**OVER, "chunk": 10, "bytes": 1536, "parts": [[0, 1536, 0, 0]]}
    assert frames.parse(end, DISK) == Data(10, 1536, [(0, 1536, 0, 0)], "ab" * 16)


def test_what_this_system_cannot_unpack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zstd, "LIBRARY", "libno-such-thing.so.1")
    assert zstd.find() is None
    monkeypatch.setattr(frames, "ENCODINGS", ("plain",))
    assert "'zstd', taken is plain" in refused(PARTS).detail


def test_a_seal_may_tell_what_the_image_has_elsewhere() -> None:
    sealed = frames.parse({"do": "seal", "image": [[3, "ab" * 32], [10, None]]}, DISK)
    assert sealed == Seal({3: "ab" * 32, 10: None})
    assert frames.parse({"do": "seal"}, DISK) == Seal({})


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"sealed": [10]},
        {"sealed": [0, 11]},
        {"virtualSize": 0},
        {"image": "/image"},
        {"target": {**OPEN["target"], "kind": "partition"}},
        {"target": {**OPEN["target"], "path": "sda"}},
        {"target": {**OPEN["target"], "path": "/dev/\0"}},
        {"target": {**OPEN["target"], "path": "/dev/\ud800"}},
        {"target": {**OPEN["target"], "serial": ""}},
        {"target": {**OPEN["target"], "serial": 7}},
        {"target": {**OPEN["target"], "size": None}},
    ],
)
def test_an_open_that_does_not_say_what_is_meant_is_refused(change: dict[str, Any]) -> None:
    assert refused({**OPEN, **change}, None).code == "bad_command"


def test_open_comes_first_and_once() -> None:
    assert refused(OPEN).code == "order"
    assert [refused(h, None).code for h in VALID] == ["order"] * len(VALID)


def test_frames_that_are_none() -> None:
    for data in (b"\0\0\0\1{", b"\xff\xff\xff\xff", b"\0\0\0\2[]", b"\0\0\0\3{1}", b"\0\0\0\2\xff\xfe"):
        with pytest.raises(Failed) as e:
            frames.read_header(io.BytesIO(data))
        assert e.value.code == "bad_command"
    deep = b"[" * 500_000
    with pytest.raises(Failed):
        frames.read_header(io.BytesIO(len(deep).to_bytes(4, "big") + deep))
    whole = frames.encode(COPY)
    for end in range(len(whole)):
        with pytest.raises(Closed):
            frames.read_header(io.BytesIO(whole[:end]))


def nonsense(rng: random.Random) -> Any:
    numbers = [0, 1, 3, 10, 11, 1536, CHUNK_BYTES, CHUNK_BYTES + 1, -1, 1 << 63, 10**30, 1.5, float("nan")]
    others = [None, True, "", "open", "/", [], {}, [[0, 512, 0]], [[0, 9, 9], [5, 1, 2]], [0], [0, [1]]]
    return rng.choice(numbers + others)


def mutated(rng: random.Random, header: dict[str, Any]) -> dict[str, Any]:
    """The header with one to three values exchanged, added or left out, at any depth."""
    copy = json.loads(json.dumps(header))
    for _ in range(rng.randint(1, 3)):
        place: Any = copy
        key: Any = rng.choice([*copy, "bytes", "extra"])
        while isinstance(place.get(key) if isinstance(place, dict) else place[key], (dict, list)):
            inner = place[key]
            if not inner or rng.random() < 0.3:
                break
            place, key = inner, rng.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
        if isinstance(place, dict) and rng.random() < 0.2:
            place.pop(key, None)
        else:
            place[key] = nonsense(rng)
    return copy


@pytest.mark.parametrize("seed", range(4))
def test_any_header_is_a_command_within_the_disk_or_a_named_refusal(seed: int) -> None:
    rng = random.Random(seed)
    taken = told = 0
    for _ in range(3000):
        disk = rng.choice([DISK, None])
        header = mutated(rng, rng.choice([OPEN] if disk is None else [*VALID, PARTS, OVER]))
        try:
            command = frames.parse(frames.read_header(stream(header)), disk)
        except Failed as e:
            assert e.code in ("bad_command", "order")
            told += 1
            continue
        taken += 1
        if isinstance(command, Open):
            assert all(0 <= c < Disk(command.virtual_size).chunks for c in command.sealed)
            assert command.target.path.startswith("/") and "\0" not in command.target.path
            continue
        assert disk
        if isinstance(command, (Zero, Read)):
            assert 0 <= command.chunk < command.chunk + command.count <= disk.chunks
        elif isinstance(command, Data):
            if command.parts is None:
                assert command.size == disk.length(command.chunk)
                continue
            ends = [0, *(at + n for at, n, _, _ in command.parts)]
            assert all(at >= end for (at, *_), end in zip(command.parts, ends, strict=False))
            assert ends[-1] <= disk.length(command.chunk) and command.size <= CHUNK_BYTES
            assert all(0 <= a and a + (p or n) <= command.size for _, n, a, p in command.parts)
        elif isinstance(command, Copy):
            ends = [0, *(at + n for at, n, _ in command.extents)]
            assert all(at >= end for (at, _, _), end in zip(command.extents, ends, strict=False))
            assert ends[-1] <= disk.length(command.chunk)
    assert taken > 50 and told > 1000


@pytest.mark.parametrize("seed", range(4))
def test_any_bytes_are_a_header_a_refusal_or_an_end(seed: int) -> None:
    rng = random.Random(seed)
    ends: set[type] = set()
    for _ in range(3000):
        data = bytearray(b"".join(frames.encode(h) for h in (COPY, OPEN)))
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        data[0:3] = b"\0\0\0" if rng.random() < 0.9 else data[0:3]
        source = io.BytesIO(bytes(data))
        try:
            while True:
                ends.add(type(frames.read_header(source)))
        except (Failed, Closed) as e:
            ends.add(type(e))
    assert ends == {dict, Failed, Closed}


@pytest.mark.parametrize("seed", range(4))
def test_a_chunk_is_split_without_a_break_and_only_holes_become_zeros(seed: int) -> None:
    rng = random.Random(seed)
    zeros = 0
    for _ in range(500):
        length = rng.choice([64, 61, 7])
        extents, at = [], 0
        while (at := at + rng.choice([0, 0, 1, 3, 9, 20])) < length:
            size = min(length - at, rng.randint(1, 9))
            extents.append((at, size, 0))
            at += size
        runs = plan.split(plan.gaps(extents, length), length, 8)
        assert [0, *(a + n for _, a, n in runs)] == [*(a for _, a, _ in runs), length]
        full = {i for a, n, _ in extents for i in range(a, a + n)}
        for is_zeros, a, n in runs:
            if is_zeros:
                zeros += 1
                assert not full & set(range(a, a + n))
                assert a % 8 == 0 and (n % 8 == 0 or a + n == length)
    assert zeros > 100


def test_the_writer_is_written_for_the_oldest_python_it_may_meet() -> None:
    files = sorted((SOURCE / "vcflash").glob("*.py"))
    assert len(files) >= 8
    for path in files:
        tree = ast.parse(path.read_text(), feature_version=(3, 9))
        later = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
        assert later or path.name in ("__init__.py", "__main__.py"), f"{path.name}: unions would be evaluated"
