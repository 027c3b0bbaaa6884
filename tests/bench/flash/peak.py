"""Runs a program and leaves its largest resident memory: argv FILE PROGRAM ARG …; FILE gets bytes as text. Ends as the program does."""

import os
import sys

path, *argv = sys.argv[1:]
child = os.posix_spawnp(argv[0], argv, os.environ)
# Only the child holds the wire now: its end is seen by whoever listens.
os.closerange(0, 2)
_, status, used = os.wait4(child, 0)
with open(path, "w", encoding="ascii") as out:
    out.write(str(used.ru_maxrss * 1024))
sys.exit(os.waitstatus_to_exitcode(status))
