"""Follows one attempt's event log: `python3 -I -c <this> <dir> <offset> <length of last line> <its sha256>`.

Runs as the login user. `offset` is how many bytes the caller has; the last line's length and hash (both without the
newline; 0 and `-` at offset 0) prove that they are bytes of this log. stdout: one JSON header line, then raw bytes of the log.
Exit: 0 `finished` was sent, 2 refused (see the header), 3 lost (the runner is gone and wrote no `finished`), 4 the caller left.
"""

import fcntl
import hashlib
import json
import os
import select
import struct
import sys
import time

# What a look costs counts against the box's telemetry (tests/bench/telemetry_cpu.py).
POLL_SECONDS = 0.03
RUNNER_SECONDS = 0.25
TOUCH_SECONDS = 1.0
CHUNK = 256 * 1024


def visible(fd, synced_fd):
    """Bytes of the log a reader may see: what the runner says, and never more than is there (after a power cut)."""
    raw = os.pread(synced_fd, 8, 0)
    told = struct.unpack("<Q", raw)[0] if len(raw) == 8 else 0
    return min(told, os.fstat(fd).st_size)


def is_finished(line):
    if b'"finished"' not in line:
        return False
    try:
        return json.loads(line).get("kind") == "finished"
    except ValueError:
        return False


def last_line(fd, size):
    """The last whole line before `size`; an incomplete one after it (a power cut) is not part of the log."""
    start, data = size, b""
    while start > 0 and data.count(b"\n") < 2:
        step = min(65536, start)
        start -= step
        data = os.pread(fd, step, start) + data
    lines = data.split(b"\n")
    return lines[-2] if len(lines) > 1 else b""


def runner_gone(folder):
    try:
        fd = os.open(folder + "/alive", os.O_RDONLY)
    except OSError:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return True
    except OSError:
        return False
    finally:
        os.close(fd)


def touch(folder):
    path = folder + "/control/follower"
    try:
        try:
            os.utime(path)
        except FileNotFoundError:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o660))
    except OSError:
        pass  # another user's file: that one follows too, and touches it


def send(data):
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def header(**fields):
    send((json.dumps(fields) + "\n").encode())


def matches(fd, size, offset, length, digest):
    if offset == 0:
        return True
    if offset > size or length >= offset + 1 or length < 1:
        return False
    line = os.pread(fd, length + 1, offset - length - 1)
    return line.endswith(b"\n") and hashlib.sha256(line[:-1]).hexdigest() == digest


def main(argv):
    folder, offset, length, digest = argv[0], int(argv[1]), int(argv[2]), argv[3]
    try:
        fd = os.open(folder + "/events.jsonl", os.O_RDONLY)
        synced_fd = os.open(folder + "/events.synced", os.O_RDONLY)
    except FileNotFoundError:
        header(ok=False, code="no_such_job")
        return 2
    except PermissionError:
        header(ok=False, code="not_allowed")
        return 2
    size = visible(fd, synced_fd)
    if not matches(fd, size, offset, length, digest):
        header(ok=False, code="log_diverged")
        return 2
    header(ok=True, size=size, finished=is_finished(last_line(fd, size)))
    rest, touched, finished = b"", 0.0, offset > 0 and offset == size and is_finished(last_line(fd, size))
    looked, gone = 0.0, False
    while True:
        if time.monotonic() - looked >= RUNNER_SECONDS:
            gone = runner_gone(folder)  # asked before the size: what it wrote before it went is then still sent
            looked = time.monotonic()
        size = visible(fd, synced_fd)
        while offset < size:
            data = os.pread(fd, min(CHUNK, size - offset), offset)
            send(data)
            offset += len(data)
            lines = (rest + data).split(b"\n")
            rest = lines.pop()
            finished = finished or any(is_finished(line) for line in lines[-1:])
        if finished:
            return 0
        if gone:
            return 3
        now = time.monotonic()
        if now - touched >= TOUCH_SECONDS:
            touch(folder)
            touched = now
        if select.select([0], [], [], POLL_SECONDS)[0] and not os.read(0, 4096):
            return 4


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (BrokenPipeError, ConnectionResetError):
        os._exit(4)
