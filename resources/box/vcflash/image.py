"""The image file, opened with the rights of the person who asked: root's own would show anybody any file by way of a disk."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from vcflash.frames import Failed


def person() -> tuple[int, int] | None:
    """(uid, gid) of who started this through sudo or pkexec, None where this process is itself who asked."""
    if os.geteuid() != 0:
        return None
    told = os.environ.get("PKEXEC_UID") or os.environ.get("SUDO_UID")
    if not told:
        return None
    try:
        uid = int(told)
        gid = pwd.getpwuid(uid).pw_gid
    except (ValueError, KeyError, OverflowError):
        raise Failed("image_unreadable", f"nobody here has the user number {told[:20]!r}") from None
    return None if uid == 0 else (uid, gid)


@contextmanager
def as_person() -> Iterator[None]:
    """Within it the whole process, all threads, has the rights of who asked."""
    who = person()
    if who is None:
        yield
        return
    uid, gid = who
    before = os.getgroups()
    # Groups first: they cannot be set any more once the user is another.
    os.setgroups(os.getgrouplist(pwd.getpwuid(uid).pw_name, gid))
    try:
        os.setegid(gid)
        os.seteuid(uid)
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


class Image:
    """An image that is read at offsets, several threads at a time. Raises Failed(image_missing, image_unreadable)."""

    def __init__(self, path: str) -> None:
        try:
            with as_person():
                self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        except FileNotFoundError:
            raise Failed("image_missing", f"{path} is not there") from None
        except OSError as e:
            raise Failed("image_unreadable", f"{path} cannot be read: {e.strerror}") from None
        found = os.fstat(self.fd)
        if not stat.S_ISREG(found.st_mode):
            os.close(self.fd)
            raise Failed("image_unreadable", f"{path} is not a file")
        self.path = path
        self.size = found.st_size
        self.found = found

    def read_into(self, view: memoryview, extents: list[tuple[int, int, int]], chunk: int) -> None:
        """Fills `view` with the extents of `chunk`; Failed(image_changed) where the file ends before an extent does."""
        for at, length, offset in extents:
            done = 0
            while done < length:
                try:
                    got = os.preadv(self.fd, [view[at + done : at + length]], offset + done)
                except OSError as e:
                    detail = f"{self.path} cannot be read at byte {offset + done}: {e.strerror}"
                    raise Failed("image_unreadable", detail, chunk) from None
                if not got:
                    detail = (
                        f"{self.path} ends at byte {offset + done}, chunk {chunk} needs {offset + length}"
                    )
                    raise Failed("image_changed", detail, chunk)
                done += got

    def check(self) -> None:
        """Failed(image_changed) unless the file is still as it was opened, also by its name."""
        now, told = os.fstat(self.fd), self.found
        try:
            with as_person():
                named = os.stat(self.path)
        except OSError as e:
            raise Failed("image_changed", f"{self.path} is gone: {e.strerror}") from None
        for what, other in (("file", now), ("name", named)):
            if (other.st_dev, other.st_ino) != (told.st_dev, told.st_ino):
                raise Failed("image_changed", f"{self.path} is another file now")
            if (other.st_size, other.st_mtime_ns) != (told.st_size, told.st_mtime_ns):
                raise Failed(
                    "image_changed", f"{self.path} was changed while it was written to the disk ({what})"
                )
