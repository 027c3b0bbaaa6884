"""Reads what a file holds, so that it is in memory: argv FILE. Holes are not read: a sparse file's would fill the memory with zeros."""

import os
import sys

from extents import extents

fd = os.open(sys.argv[1], os.O_RDONLY)
for at, end in extents(fd):
    while at < end and (got := len(os.pread(fd, min(end - at, 1 << 22), at))):
        at += got
