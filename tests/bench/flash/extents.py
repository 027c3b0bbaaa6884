"""Where a sparse file holds data, as its file system tells."""

import os
from collections.abc import Iterator


def extents(fd: int) -> Iterator[tuple[int, int]]:
    """(first byte, byte behind the last), ascending. What lies between them are holes."""
    end, at = os.fstat(fd).st_size, 0
    while at < end:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            return
        at = os.lseek(fd, start, os.SEEK_HOLE)
        yield start, at
