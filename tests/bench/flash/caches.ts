/** The same caches for all: nothing in memory but the file that is read, all of whose data is there. As root. */
import { script } from './shell.ts';

/** Holes are not read: a sparse file's would fill the memory with zeros. */
const READ = `
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
end, at = os.fstat(fd).st_size, 0
while at < end:
    try:
        at = os.lseek(fd, at, os.SEEK_DATA)
    except OSError:
        break
    hole = os.lseek(fd, at, os.SEEK_HOLE)
    while at < hole and (got := len(os.pread(fd, min(hole - at, 1 << 22), at))):
        at += got
`;

export const warm = (source: string): Promise<string> =>
  script('sync; echo 3 > /proc/sys/vm/drop_caches; exec python3 -c "$1" "$2"', READ, source);
