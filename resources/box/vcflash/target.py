"""The disk or file that is written: opened once, proved to be the one that was meant, written past the cache where that works."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import stat
import struct
import time

from vcflash import identity
from vcflash.frames import Failed, TargetName
from vcflash.image import as_person

BLKRRPART, BLKGETSIZE64, BLKFLSBUF, BLKSSZGET = 0x125F, 0x80081272, 0x1261, 0x1268
BLKZEROOUT, BLKGETDISKSEQ = 0x127F, 0x80081280
FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE = 1, 2
# Direct I/O of files is in units of the file system's block, which is this at most on what has it at all.
FILE_BLOCK = 4096
# One command of zeros at a time, so that an end is noticed in between.
ZERO_BYTES = 1 << 30
# A cable that was pulled shows as EIO a moment before the kernel takes the disk away.
GONE_SECONDS = 1.0
GONE = (errno.ENODEV, errno.ENXIO)
NO_SUCH_CALL = (errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL, errno.ENOSYS)

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


def _punch(fd: int, offset: int, length: int) -> None:
    """Zeros with unmap. On a block device the kernel promises zeros for it, which it does not for a discard; OSError if it cannot."""
    while _libc.fallocate(fd, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, offset, length):
        code = ctypes.get_errno()
        if code != errno.EINTR:
            raise OSError(code, os.strerror(code))


def _zero_out(fd: int, offset: int, length: int) -> None:
    fcntl.ioctl(fd, BLKZEROOUT, struct.pack("QQ", offset, length))


def _number(fd: int, request: int, form: str) -> int:
    return struct.unpack(form, fcntl.ioctl(fd, request, bytes(struct.calcsize(form))))[0]


class Target:
    """`size` bytes, `block` bytes a logical block. Methods take offsets in bytes, may run in several threads at a time, and raise
    OSError, which `trouble` turns into the protocol's words; only opening and `check` raise Failed themselves."""

    def __init__(self, told: TargetName, virtual_size: int) -> None:
        self.told = told
        self.disk = told.kind == "disk"
        if virtual_size > told.size:
            raise Failed("target_size", f"the image has {virtual_size} bytes, the target {told.size}")
        self.zeros = mmap.mmap(-1, 4 * 1024 * 1024)
        self.zero_calls = [_punch, _zero_out] if self.disk else [_punch]
        self.device: int | None = None
        self.sequence: int | None = None
        try:
            self.plain = self._open_disk() if self.disk else self._open_file()
        except OSError as e:
            raise self._refusal(e) from None
        try:
            found = os.fstat(self.plain)
            self.device, self.inode = found.st_rdev, (found.st_dev, found.st_ino)
            if self.disk:
                self.sequence = self._sequence()
                self.check()
            self.size = _number(self.plain, BLKGETSIZE64, "Q") if self.disk else told.size
            self.block = _number(self.plain, BLKSSZGET, "i") if self.disk else FILE_BLOCK
            self.fd, self.direct = self._open_direct()
        except OSError as e:
            raise self._refusal(e) from None

    def _open_disk(self) -> int:
        """Looks before it opens, so that a disk in use is told with who uses it; O_EXCL is what makes it certain."""
        path = self.told.path
        found = os.stat(path)
        if not stat.S_ISBLK(found.st_mode):
            raise Failed("target_not_a_disk", f"{path} is not a disk")
        self.device = found.st_rdev
        self.check()
        fd = os.open(path, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC | os.O_NOCTTY)
        if os.fstat(fd).st_rdev != found.st_rdev:
            raise Failed("target_serial", f"{path} became another disk while it was opened")
        return fd

    def _open_file(self) -> int:
        """As the person who asked, so that root's rights change no file of somebody else."""
        path = self.told.path
        with as_person():
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
            fd = os.open(path, flags, 0o644)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise Failed("target_not_a_disk", f"{path} is not a file")
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(fd, self.told.size)
        return fd

    def _open_direct(self) -> tuple[int, bool]:
        """A descriptor past the cache and True, or the plain one and False. A disk has one only: a second could not be O_EXCL."""
        try:
            if self.disk:
                fd = self.plain
                fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_DIRECT)
            else:
                # By the descriptor and not by name: the name could be another file by now.
                fd = os.open(f"/proc/self/fd/{self.plain}", os.O_RDWR | os.O_DIRECT | os.O_CLOEXEC)
            with mmap.mmap(-1, FILE_BLOCK) as page:
                os.preadv(fd, [page], 0)
        except OSError as e:
            # A file may refuse for any reason, root's missing rights on NFS among them; a disk that cannot be read is a bad one.
            if self.disk and e.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
                raise
            if self.disk:
                flags = fcntl.fcntl(self.plain, fcntl.F_GETFL) & ~os.O_DIRECT
                fcntl.fcntl(self.plain, fcntl.F_SETFL, flags)
            return self.plain, False
        return fd, True

    def _sequence(self) -> int | None:
        try:
            return _number(self.plain, BLKGETDISKSEQ, "Q")
        except OSError:
            return None

    def check(self) -> None:
        """Failed unless the disk is the one that was told and nobody uses it. Called before and after opening, and once more right
        before the first byte."""
        if not self.disk:
            return
        told, path = self.told, self.told.path
        facts = None if self.device is None else identity.look(self.device)
        # Some drivers show a drive that was pulled out as one of the size 0.
        if facts is None or facts.size == 0:
            raise Failed("target_missing", f"{path} is not there any more")
        if not facts.whole:
            raise Failed("target_not_a_disk", f"{path} is a partition, not a disk")
        if told.serial is None:
            # Only a loop device has no serial and still is never somebody's disk.
            if not facts.loop:
                raise Failed("target_serial", f"{facts.name} was named without a serial")
        elif identity.plain(told.serial) not in facts.serials:
            has = ", ".join(sorted(facts.serials)) or "none"
            raise Failed("target_serial", f"{facts.name} has the serial {has}, not {told.serial}")
        if facts.size != told.size:
            raise Failed("target_size", f"{facts.name} has {facts.size} bytes, {told.size} were told")
        other = identity.twin(facts, told.serial) if told.serial else None
        if other:
            raise Failed("target_serial", f"{facts.name} and {other} both have the serial {told.serial}")
        if facts.used:
            raise Failed("target_in_use", facts.used)
        if facts.read_only:
            raise Failed("target_read_only", f"{facts.name} cannot be written")
        # The descriptor stays with the disk it was opened on; the number may be another disk's by now.
        if self.sequence is not None and facts.sequence not in (None, self.sequence):
            raise Failed("target_serial", f"{facts.name} is another disk than the one that was opened")

    def _refusal(self, e: OSError) -> Failed:
        path = self.told.path
        if e.errno in (errno.ENOENT, errno.ENAMETOOLONG, *GONE):
            return Failed("target_missing", f"{path} is not there: {e.strerror}")
        if e.errno in (errno.EBUSY, errno.EWOULDBLOCK):
            return Failed("target_in_use", f"{path} is in use: {e.strerror}")
        if e.errno in (errno.ELOOP, errno.EISDIR, errno.ENOTDIR):
            return Failed("target_not_a_disk", f"{path} is no disk and no file of its own: {e.strerror}")
        if e.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return Failed("target_read_only", f"{path} cannot be opened for writing: {e.strerror}")
        return self.trouble(e, None)

    def write(self, buffer: memoryview, at: int, length: int, offset: int) -> None:
        """Writes buffer[at:at+length] at `offset`. An odd end of a disk is filled up with zeros to the logical block in `buffer`, so
        that has to have room; an odd end of a file goes through the cache."""
        even = self._even(length)
        if even > length:
            buffer[at + length : at + even] = bytes(even - length)
        self._write(self.fd, buffer[at : at + even], offset)
        if even < length:
            self._write(self.plain, buffer[at + even : at + length], offset + even)

    def read(self, buffer: memoryview, length: int, offset: int) -> None:
        """Fills buffer[:length], or to the end of the logical block, from `offset`. OSError(EIO) where the target ends before."""
        even = self._even(length)
        self._read(self.fd, buffer[:even], offset)
        if even < length:
            self._read(self.plain, buffer[even:length], offset + even)

    def _even(self, length: int) -> int:
        if not self.direct and not self.disk:
            return length
        return -(-length // self.block) * self.block if self.disk else length // self.block * self.block

    @staticmethod
    def _write(fd: int, view: memoryview, offset: int) -> None:
        done = 0
        while done < len(view):
            done += os.pwrite(fd, view[done:], offset + done)

    @staticmethod
    def _read(fd: int, view: memoryview, offset: int) -> None:
        done = 0
        while done < len(view):
            got = os.preadv(fd, [view[done:]], offset + done)
            if not got:
                raise OSError(errno.EIO, f"the target ends at byte {offset + done}")
            done += got

    def zero(self, offset: int, length: int) -> None:
        """Makes zeros: unmapped where the target can, else by its own command, else written. At most ZERO_BYTES."""
        if self.disk:
            length = -(-length // self.block) * self.block
        while self.zero_calls:
            call = self.zero_calls[0]
            try:
                call(self.plain, offset, length)
                return
            except OSError as e:
                if e.errno not in NO_SUCH_CALL:
                    raise
                # Several threads may find out at the same time.
                self.zero_calls = [c for c in self.zero_calls if c is not call]
        self.write_zeros(offset, length)

    def write_zeros(self, offset: int, length: int) -> None:
        view = memoryview(self.zeros)
        while length > 0:
            step = min(length, len(view))
            self.write(view, 0, step, offset)
            offset, length = offset + step, length - step

    def sync(self) -> None:
        os.fsync(self.plain)

    def forget(self) -> None:
        """After a sync: drops what the cache has of the target, so that reading asks the target itself."""
        os.posix_fadvise(self.plain, 0, 0, os.POSIX_FADV_DONTNEED)
        if self.disk and not self.direct:
            fcntl.ioctl(self.plain, BLKFLSBUF)

    def trouble(self, e: OSError, chunk: int | None) -> Failed:
        """The protocol's words for an error of a read, write or sync."""
        where = "" if chunk is None else f" at chunk {chunk}"
        why = f"{self.told.path}{where}: {e.strerror}"
        if e.errno in GONE or (self.disk and self._went_away()):
            return Failed("target_gone", f"the disk went away, {why}", chunk)
        if e.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return Failed("target_full", f"no room left, {why}", chunk)
        if e.errno in (errno.EROFS, errno.EPERM, errno.EACCES):
            return Failed("target_read_only", f"cannot be written, {why}", chunk)
        return Failed("target_io", why, chunk)

    def _went_away(self) -> bool:
        """Whether the disk is no longer there as it was opened: some drivers say so by a size of 0, and then writes get ENOSPC."""
        deadline = time.monotonic() + GONE_SECONDS
        while self.device is not None:
            facts = identity.look(self.device)
            if facts is None or facts.size != self.told.size:
                return True
            if self.sequence is not None and facts.sequence not in (None, self.sequence):
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return False

    def close(self) -> None:
        """Makes the kernel read a disk's partition table anew, where it can, and closes."""
        if self.disk:
            try:
                fcntl.ioctl(self.plain, BLKRRPART)
            except OSError:
                pass  # a loop device has no partitions; on a disk udev reads it again when the writer closes it
        if self.fd != self.plain:
            os.close(self.fd)
        os.close(self.plain)
        self.zeros.close()
