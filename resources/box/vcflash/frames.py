"""Frames and commands as the app sends them: parsing and judging, no files. All sizes are bytes, all chunks numbers from 0."""

from __future__ import annotations

import json
import re
from typing import Any, BinaryIO, Callable, NamedTuple, NoReturn, Union

from vcflash.zstd import UNPACKER

CHUNK_BYTES = 4 * 1024 * 1024
# What a chunk on the disk is compared in, where only a part of it is another.
BLOCK_BYTES = 64 * 1024
HEADER_MAX = 1024 * 1024
# Chunks in one answer to `have`: with a hash each, half of the largest header.
HAVE_MAX = 4096
# How a payload of `data` may be packed; `opened` tells an app which of them this end takes. `over`, which goes with `blocks`, only with tags.
ENCODINGS = ("plain", "zstd") if UNPACKER else ("plain",)
OVER = "over"
HASH = re.compile(r"[0-9a-f]{64}")
KEY = re.compile(r"[0-9a-f]{32}")
# 16 TiB, as much as the reader of images takes.
DISK_MAX = 1 << 44


class Failed(Exception):
    """What ends the writer: `code` of the protocol, a sentence for `detail`, the chunk it was about."""

    def __init__(self, code: str, detail: str, chunk: int | None = None) -> None:
        super().__init__(detail)
        self.command: str | None = None
        self.code = code
        self.detail = detail
        self.chunk = chunk


class Closed(Exception):
    """The other end of stdin or stdout is gone."""


class TargetName(NamedTuple):
    kind: str
    path: str
    serial: str | None
    size: int


class Open(NamedTuple):
    target: TargetName
    image: str | None
    virtual_size: int
    sealed: tuple[int, ...]
    # Key of the tags that are wanted for hashes of what is written.
    mac: bytes | None = None


class Wipe(NamedTuple):
    pass


class Copy(NamedTuple):
    """`extents`: (at, length, offset in the image file), sorted by `at`, within the chunk, none over another."""

    chunk: int
    extents: list[tuple[int, int, int]]


class Data(NamedTuple):
    """The payload of `size` bytes follows on stdin: all of the chunk, or where `parts` is no None, clusters as an image stores them:
    (at, length, where in the payload, how many bytes are packed there; 0: as they are), sorted by `at`, none over another. What none
    covers is zeros, or with `over`, where all are whole blocks as they are, what the disk has there: the tag that the chunk then has."""

    chunk: int
    size: int
    parts: list[tuple[int, int, int, int]] | None
    over: str | None = None


class Zero(NamedTuple):
    chunk: int
    count: int


class Flush(NamedTuple):
    """Everything that was asked before it is on the disk with its answer."""


class Checkpoint(NamedTuple):
    """Everything that was answered before it is on the disk with its answer; what is being written goes on meanwhile."""


class Read(NamedTuple):
    chunk: int
    count: int


class Have(NamedTuple):
    chunk: int
    count: int


class Blocks(NamedTuple):
    """The tags of what the disk has in each block of a chunk."""

    chunk: int


class Beat(NamedTuple):
    """The app is there and has nothing to say."""


class Seal(NamedTuple):
    """`image`: hash of the image's bytes, None for zeros, of chunks that are to hold something else in the end."""

    image: dict[int, str | None]


class Close(NamedTuple):
    pass


Command = Union[Open, Wipe, Copy, Data, Zero, Flush, Checkpoint, Have, Blocks, Beat, Read, Seal, Close]


class Disk:
    """The virtual disk cut into chunks."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.chunks = -(-size // CHUNK_BYTES)

    def length(self, chunk: int) -> int:
        return min(CHUNK_BYTES, self.size - chunk * CHUNK_BYTES)


def encode(header: dict[str, Any]) -> bytes:
    text = json.dumps(header, ensure_ascii=True, separators=(",", ":")).encode()
    return len(text).to_bytes(4, "big") + text


def read_header(stream: BinaryIO) -> dict[str, Any]:
    """The next frame's header. Closed at the end of the stream, also in the middle of a frame; Failed(bad_command) for nonsense."""
    length = int.from_bytes(_exactly(stream, 4), "big")
    if not 2 <= length <= HEADER_MAX:
        raise Failed("bad_command", f"a header of {length} bytes, at most {HEADER_MAX} are taken")
    try:
        header = json.loads(_exactly(stream, length).decode())
    except (ValueError, RecursionError) as e:
        raise Failed("bad_command", f"a header that is no JSON: {e}"[:300]) from None
    if not isinstance(header, dict):
        raise Failed("bad_command", "a header that is no object")
    return header


def _exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise Closed
    return data


def name_of(header: dict[str, Any]) -> str:
    """The command's name, shortened for an answer about a command that is not known."""
    name = header.get("do")
    return name[:40] if isinstance(name, str) else ""


def parse(header: dict[str, Any], disk: Disk | None) -> Command:
    """The command that `header` says, judged as far as the virtual disk is known; Failed(bad_command) if it is none."""
    parser = PARSERS.get(name_of(header))
    if parser is None:
        _bad(f"no such command: {name_of(header)!r}")
    if (disk is None) != (parser is _open):
        raise Failed("order", "open comes first and once")
    if "bytes" in header and parser is not _data:
        _bad("only data has a payload")
    return parser(header, disk)


def _bad(detail: str) -> NoReturn:
    raise Failed("bad_command", detail)


def _int(header: dict[str, Any], key: str, low: int, high: int) -> int:
    """An integer of `low` to `high`; type() and not isinstance, since True is an int and 1.0 is not meant."""
    value = header.get(key)
    if type(value) is not int or not low <= value <= high:
        _bad(f"{key} is not a number from {low} to {high}")
    return value


def _path(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
        _bad(f"{what} is not an absolute path")
    try:
        value.encode("utf-8", "surrogateescape")
    except ValueError:
        _bad(f"{what} is not a path")
    return value


def _open(header: dict[str, Any], _disk: Disk | None) -> Open:
    if header.get("v") != 1 or type(header["v"]) is not int:
        _bad(f"this writer speaks version 1, the app {str(header.get('v'))[:20]}")
    told = header.get("target")
    if not isinstance(told, dict) or told.get("kind") not in ("disk", "file"):
        _bad("target is neither a disk nor a file")
    serial = told.get("serial")
    if serial is not None and (not isinstance(serial, str) or not serial or serial != serial.strip()):
        _bad("the serial is neither null nor a word")
    size = _int(told, "size", 1, DISK_MAX)
    target = TargetName(told["kind"], _path(told.get("path"), "the target"), serial, size)
    image = header.get("image")
    if image is not None:
        image = _path(image.get("path") if isinstance(image, dict) else None, "the image")
    virtual = _int(header, "virtualSize", 1, DISK_MAX)
    sealed = header.get("sealed")
    chunks = Disk(virtual).chunks
    if not isinstance(sealed, list) or not all(type(c) is int and 0 <= c < chunks for c in sealed):
        _bad(f"sealed is not a list of chunks below {chunks}")
    if 0 not in sealed:
        _bad("chunk 0 is not sealed: a disk that is half written could boot")
    key = header.get("mac")
    if key is not None and not (isinstance(key, str) and KEY.fullmatch(key)):
        _bad("mac is no key")
    return Open(target, image, virtual, tuple(sorted(set(sealed))), bytes.fromhex(key) if key else None)


def _copy(header: dict[str, Any], disk: Disk) -> Copy:
    chunk = _int(header, "chunk", 0, disk.chunks - 1)
    raw = header.get("extents")
    if not isinstance(raw, list):
        _bad("extents is no list")
    extents: list[tuple[int, int, int]] = []
    for extent in raw:
        if not isinstance(extent, list) or len(extent) != 3 or not all(type(n) is int for n in extent):
            _bad("an extent is not three numbers")
        extents.append((extent[0], extent[1], extent[2]))
    extents.sort()
    end = 0
    for at, length, offset in extents:
        if at < end or length < 1 or offset < 0 or offset > 1 << 62:
            _bad(f"the extent [{at},{length},{offset}] of chunk {chunk} is negative, empty or over another")
        end = at + length
    if end > disk.length(chunk):
        _bad(f"the extents of chunk {chunk} end at {end}, the chunk at {disk.length(chunk)}")
    return Copy(chunk, extents)


def _data(header: dict[str, Any], disk: Disk) -> Data:
    chunk = _int(header, "chunk", 0, disk.chunks - 1)
    encoding = header.get("encoding", "plain")
    if encoding not in (*ENCODINGS, OVER):
        _bad(f"data in the encoding {str(encoding)[:20]!r}, taken is {', '.join(ENCODINGS)}")
    length = disk.length(chunk)
    if encoding == "plain":
        return Data(chunk, _int(header, "bytes", length, length), None)
    size = _int(header, "bytes", 1, length)
    parts = _parts(header.get("parts"), length, size)
    if encoding == OVER:
        for at, gives, _source, packed in parts:
            if packed or at % BLOCK_BYTES or (gives % BLOCK_BYTES and at + gives != length):
                _bad(f"a part of chunk {chunk} that goes over what is there is packed, or not of whole blocks")
        wanted = header.get("mac")
        if not isinstance(wanted, str) or not KEY.fullmatch(wanted):
            _bad(f"what chunk {chunk} is to be with what is there is not told")
        return Data(chunk, size, parts, wanted)
    return Data(chunk, size, parts)


def _parts(raw: Any, length: int, size: int) -> list[tuple[int, int, int, int]]:
    """Within the chunk of `length` bytes and the payload of `size` bytes, since both are memory."""
    if not isinstance(raw, list):
        _bad("parts is no list")
    parts: list[tuple[int, int, int, int]] = []
    for part in raw:
        if not isinstance(part, list) or len(part) != 4 or not all(type(n) is int for n in part):
            _bad("a part is not four numbers")
        parts.append((part[0], part[1], part[2], part[3]))
    parts.sort()
    end = 0
    for at, gives, source, packed in parts:
        if at < end or gives < 1 or source < 0 or packed < 0 or source + (packed or gives) > size:
            _bad("a part is negative, empty, over another, or not in the payload")
        end = at + gives
    if end > length:
        _bad(f"the parts end at {end}, the chunk at {length}")
    return parts


def _range(header: dict[str, Any], disk: Disk, most: int = DISK_MAX) -> tuple[int, int]:
    chunk = _int(header, "chunk", 0, disk.chunks - 1)
    return chunk, _int(header, "count", 1, min(most, disk.chunks - chunk))


def _seal(header: dict[str, Any], disk: Disk) -> Seal:
    told = header.get("image", [])
    if not isinstance(told, list):
        _bad("the image's hashes are no list")
    image: dict[int, str | None] = {}
    for pair in told:
        if not isinstance(pair, list) or len(pair) != 2:
            _bad("a hash of the image is not a chunk and its hash")
        chunk, digest = pair
        if type(chunk) is not int or not 0 <= chunk < disk.chunks:
            _bad(f"a hash of the image is of no chunk below {disk.chunks}")
        if digest is not None and not (isinstance(digest, str) and HASH.fullmatch(digest)):
            _bad(f"the image's hash of chunk {chunk} is none")
        image[chunk] = digest
    return Seal(image)


PARSERS: dict[str, Callable[[dict[str, Any], Any], Command]] = {
    "open": _open,
    "wipe": lambda _header, _disk: Wipe(),
    "copy": _copy,
    "data": _data,
    "zero": lambda header, disk: Zero(*_range(header, disk)),
    "flush": lambda _header, _disk: Flush(),
    "checkpoint": lambda _header, _disk: Checkpoint(),
    "have": lambda header, disk: Have(*_range(header, disk, HAVE_MAX)),
    "blocks": lambda header, disk: Blocks(_int(header, "chunk", 0, disk.chunks - 1)),
    "beat": lambda _header, _disk: Beat(),
    "read": lambda header, disk: Read(*_range(header, disk)),
    "seal": _seal,
    "close": lambda _header, _disk: Close(),
}
