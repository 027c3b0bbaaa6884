"""What the target has of the image: each chunk with its hash once it was synced, and those that this process has read back.

The file beside the job (`chunks`) saves a later attempt the writing and proves nothing: all is read back at the end. What was read
back is known to this process alone, since it holds the disk and nobody else can write to it.

Lines: a JSON head that says of what disk and image; `w CHUNK HASH` with `-` for zeros; `x CHUNK`: not there any more. A line that
is torn, and what comes behind it, is not believed. A hash is a SHA-256, or a tag (vcflash/mac.py) with the mark of its key: each
feeder has one of its own, and what another one's says of a chunk can be compared with nothing.
"""

import hashlib
import json
import os
import re
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeGuard

from vcflash.frames import CHUNK_BYTES, Disk

LINE = re.compile(r"^(?:w (\d{1,8}) (-|[0-9a-f]{64}|[0-9a-f]{40})|x (\d{1,8}))$")
TAG_DIGITS, MARK_DIGITS = 32, 8
Hash = str | None


class Differs(Exception):
    """A chunk that this process wrote and synced reads back as something else: the disk is broken."""

    def __init__(self, chunk: int, found: Hash, wanted: Hash) -> None:
        super().__init__(
            f"chunk {chunk}, at byte {chunk * CHUNK_BYTES}: {found or 'zeros'} instead of {wanted or 'zeros'}"
        )


def read_lines(path: Path, head: dict[str, Any]) -> dict[int, Hash]:
    """Chunks of a file of another attempt; none where it is about another disk or image, or not there."""
    try:
        lines = path.read_bytes().split(b"\n")
        if json.loads(lines[0]) != head:
            return {}
    except (OSError, ValueError):
        return {}
    found: dict[int, Hash] = {}
    # Behind the last newline is nothing, or a torn line.
    for line in lines[1:-1]:
        match = LINE.match(line.decode("ascii", "replace"))
        if not match:
            break
        chunk, digest, gone = match.groups()
        if gone is not None:
            found.pop(int(gone), None)
        else:
            found[int(chunk)] = None if digest == "-" else digest
    return found


class Ledger:
    """Safe to use from several threads. `head` is a JSON object that tells disk and image from all others. `secret` chunks are told to
    nobody and stand in no file: they hold first-boot settings, new ones each time."""

    def __init__(
        self,
        path: Path,
        disk: Disk,
        head: dict[str, Any],
        before: dict[int, Hash],
        secret: frozenset[int] = frozenset(),
    ) -> None:
        self.disk = disk
        self.secret = secret
        self.lock = threading.Lock()
        self.written = {chunk: digest for chunk, digest in before.items() if self._lasts(chunk)}
        # Answered as written, and not synced yet; and of those the ones that the sync under way is about.
        self.fresh: dict[int, Hash] = {}
        self.pending: dict[int, Hash] = {}
        # Written by this process: a difference there is no old belief but a broken disk.
        self.mine: set[int] = set()
        # What was read of a chunk since it was written last. Never told as had: what a feeder keeps without writing it is its own
        # belief, and a chunk that was cut off in the middle reads as something, too.
        self.seen: dict[int, Hash] = {}
        # Of those, the ones that read as what was written.
        self.proved: set[int] = set()
        # Of the key of the feeder that is there; '' for one that wants no tags.
        self.mark = ""
        self.file: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self._append(json.dumps(head) + "\n" + "".join(_line(c, d) for c, d in self.written.items()))

    def tagged_by(self, key: bytes | None) -> None:
        """A feeder has come; `key` is that of the tags in the answers from now on."""
        with self.lock:
            self.mark = hashlib.sha256(key).hexdigest()[:MARK_DIGITS] if key else ""

    def begun(self, chunk: int, count: int) -> None:
        """A write of them is asked for: until it is synced nobody knows what they hold."""
        with self.lock:
            self._void(range(chunk, chunk + count))

    def answered(self, answer: dict[str, Any]) -> None:
        """Takes what the writer is about to say. Differs where a chunk did not keep what was written to it."""
        what = answer["is"]
        if what not in ("written", "zeroed", "read", "wiped"):
            return
        with self.lock:
            if what == "written":
                tag = answer.get("mac")
                self.fresh[answer["chunk"]] = tag + self.mark if tag else answer["sha256"]
            elif what == "zeroed":
                first = answer["chunk"]
                self.fresh.update(dict.fromkeys(range(first, first + answer["count"])))
            elif what == "wiped":
                # Sealed chunks are zeros now; of those at the target's end only a part is.
                self._void(answer["chunks"])
            else:
                self._compare(answer["chunk"], answer["sha256"], answer.get("mac"))

    @contextmanager
    def syncing(self) -> Iterator[None]:
        """Around a sync of the disk, one at a time: what was answered before it is on stable storage then, and no more than that. What
        is written again meanwhile is not."""
        with self.lock:
            self.pending, self.fresh = self.fresh, {}
        yield
        with self.lock:
            kept, self.pending = self.pending, {}
            self.written.update(kept)
            self.mine.update(kept)
            self._append("".join(_line(c, d) for c, d in kept.items() if self._lasts(c)), sync=True)

    def forget(self) -> None:
        """A feeder left and its last writes could not be synced."""
        with self.lock:
            self.fresh.clear()
            self.pending.clear()

    def have(self, chunk: int, count: int) -> list[list[Any]]:
        """`[chunk, hash or None, read back]` of each that is known. What was read back is told by its SHA-256, else by what it was
        written as; a tag of another feeder's tells this one nothing."""
        with self.lock:
            known = [c for c in range(chunk, chunk + count) if c in self.written and self._lasts(c)]
            return [
                [c, self.seen[c] if c in self.proved else self._bare(self.written[c]), c in self.proved]
                for c in known
                if c in self.proved or self._comparable(self.written[c])
            ]

    def moved(self, without: Collection[int]) -> tuple[int, int]:
        """Bytes of data that the target has in chunks other than these, and bytes that were read back."""
        with self.lock:
            known = [*self.written.items(), *self.pending.items(), *self.fresh.items()]
            data = sum(self.disk.length(c) for c, digest in known if digest is not None and c not in without)
            return data, sum(self.disk.length(c) for c in self.seen)

    def lacking(self) -> int:
        """Chunks that were not read back since they were written last."""
        with self.lock:
            return self.disk.chunks - len(self.seen)

    def knows(self, chunks: Iterable[int]) -> bool:
        """Whether all of them were written and synced."""
        with self.lock:
            return all(c in self.written for c in chunks)

    def root(self, instead: dict[int, Hash]) -> str:
        """The disk hash (docs/adr/0009-image-sources.md) over all chunks as they were read, or `instead`; none may be lacking."""
        digest = hashlib.sha256(f"vault-cube disk 1 sha256 {CHUNK_BYTES} {self.disk.size}\n".encode())
        with self.lock:
            for chunk in range(self.disk.chunks):
                found = instead[chunk] if chunk in instead else self.seen[chunk]
                digest.update(bytes.fromhex(found or "00" * 32))
        return digest.hexdigest()

    def close(self) -> None:
        if self.file is not None:
            os.close(self.file)
            self.file = None

    def _lasts(self, chunk: int) -> bool:
        return chunk < self.disk.chunks and chunk not in self.secret

    def _comparable(self, digest: Hash) -> bool:
        return not _is_tag(digest) or digest[TAG_DIGITS:] == self.mark

    @staticmethod
    def _bare(digest: Hash) -> Hash:
        return digest[:TAG_DIGITS] if _is_tag(digest) else digest

    def _compare(self, chunk: int, found: Hash, tag: str | None) -> None:
        if chunk in self.written:
            wanted = self.written[chunk]
            like = tag if _is_tag(wanted) and found is not None else found
            if self._comparable(wanted) and like == self._bare(wanted):
                self.proved.add(chunk)
            elif self._comparable(wanted) and chunk in self.mine:
                raise Differs(chunk, like, self._bare(wanted))
            else:
                # An old belief was wrong, or is nobody's any more: whoever feeds decides.
                self._void([chunk])
        self.seen[chunk] = found

    def _void(self, chunks: Iterable[int]) -> None:
        gone = [c for c in chunks if c in self.written]
        for chunk in gone:
            del self.written[chunk]
        for chunk in chunks:
            self.seen.pop(chunk, None)
            self.proved.discard(chunk)
            self.mine.discard(chunk)
            self.fresh.pop(chunk, None)
            self.pending.pop(chunk, None)
        self._append("".join(f"x {c}\n" for c in gone))

    def _append(self, text: str, sync: bool = False) -> None:
        """A box without room for the record flashes on without it: it only saves writing."""
        if self.file is None or not text:
            return
        try:
            data = text.encode()
            while data:
                data = data[os.write(self.file, data) :]
            if sync:
                os.fsync(self.file)
        except OSError:
            os.close(self.file)
            self.file = None


def _is_tag(digest: Hash) -> TypeGuard[str]:
    return digest is not None and len(digest) == TAG_DIGITS + MARK_DIGITS


def _line(chunk: int, digest: Hash) -> str:
    return f"w {chunk} {digest or '-'}\n"
