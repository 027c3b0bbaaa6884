"""What of a chunk is written as bytes and what as zeros by a command of the disk. Computes only."""

from __future__ import annotations


def gaps(extents: list[tuple[int, int, int]], length: int) -> list[tuple[int, int]]:
    """What the sorted extents leave of a chunk of `length` bytes, as (at, length)."""
    found, end = [], 0
    for at, size, _offset in extents:
        if at > end:
            found.append((end, at - end))
        end = at + size
    if length > end:
        found.append((end, length - end))
    return found


def split(holes: list[tuple[int, int]], length: int, least: int) -> list[tuple[bool, int, int]]:
    """The chunk as runs (is zeros, at, length) without a break. A gap becomes a run of zeros only in whole multiples of `least`
    bytes at multiples of `least`: for less, a command of its own costs more than writing zeros along with what is beside them."""
    runs: list[tuple[bool, int, int]] = []
    done = 0
    for at, size in holes:
        start, end = -(-at // least) * least, (at + size) // least * least
        # The disk ends behind the last gap, so its odd end is no reason to write zeros.
        if at + size == length and start < length:
            end = length
        if end <= start:
            continue
        if start > done:
            runs.append((False, done, start - done))
        runs.append((True, start, end - start))
        done = end
    if length > done:
        runs.append((False, done, length - done))
    return runs
