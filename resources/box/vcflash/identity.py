"""Which disk a block device is and who uses it, as kernel and udev say. Reads /sys, /proc and /run only; `root` is for tests."""

from __future__ import annotations

import os
from typing import NamedTuple

SECTOR = 512
LOOP_MAJOR = 7
# lsblk's own order is of no matter: any of them names the disk.
UDEV_SERIALS = ("SCSI_IDENT_SERIAL", "ID_SCSI_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL")


class Facts(NamedTuple):
    """`size` in bytes; `sequence` is the kernel's number of this disk, never given twice (Linux 5.15), else None; `used` is a
    sentence about who has it, None if nobody."""

    name: str
    whole: bool
    loop: bool
    size: int
    read_only: bool
    serials: frozenset[str]
    sequence: int | None
    used: str | None


def number(device: int) -> str:
    return f"{os.major(device)}:{os.minor(device)}"


def plain(serial: str) -> str:
    """A serial as udev writes it: no blanks and no NULs around, one underscore for blanks within."""
    return "_".join(serial.strip("\0 \t\r\n").split())


def look(device: int, root: str = "/") -> Facts | None:
    """What is known of the block device with this number; None where the kernel has no such disk (any more)."""
    folder = os.path.realpath(f"{root}/sys/dev/block/{number(device)}")
    size = _read(f"{folder}/size")
    if not size.isdigit():
        return None
    sequence = _read(f"{folder}/diskseq")
    return Facts(
        name=os.path.basename(folder),
        whole=not os.path.exists(f"{folder}/partition") and os.path.isdir(f"{folder}/queue"),
        loop=os.major(device) == LOOP_MAJOR and os.path.basename(folder).startswith("loop"),
        size=int(size) * SECTOR,
        read_only=_read(f"{folder}/ro") == "1",
        serials=_serials(folder, number(device), root),
        sequence=int(sequence) if sequence.isdigit() else None,
        used=_used(folder, root),
    )


def twin(facts: Facts, serial: str, root: str = "/") -> str | None:
    """The name of another disk with this serial and the same size, since cheap enclosures all have one serial; else None."""
    for name in sorted(_list(f"{root}/sys/block")):
        folder = os.path.realpath(f"{root}/sys/block/{name}")
        if name == facts.name or _read(f"{folder}/hidden") == "1":
            continue
        same_size = _read(f"{folder}/size") == str(facts.size // SECTOR)
        if same_size and plain(serial) in _serials(folder, _read(f"{folder}/dev"), root):
            return name
    return None


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read().strip()
    except OSError:
        return ""


def _list(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def _serials(folder: str, device: str, root: str) -> frozenset[str]:
    found = [_read(f"{folder}/serial"), _read(f"{folder}/device/serial")]
    try:
        with open(f"{folder}/device/vpd_pg80", "rb") as f:
            # SPC: four bytes of head, the last of them is the length of the serial.
            page = f.read(256)
        found.append(page[4 : 4 + page[3]].decode("ascii", "replace") if len(page) > 4 else "")
    except OSError:
        pass
    above = os.path.realpath(f"{folder}/device")
    while len(above) > len(root) and not os.path.exists(f"{above}/idVendor"):
        above = os.path.dirname(above)
    if len(above) > len(root):
        found.append(_read(f"{above}/serial"))
    for line in _read(f"{root}/run/udev/data/b{device}").splitlines():
        key, _, value = line.partition("=")
        if key.startswith("E:") and key[2:] in UDEV_SERIALS:
            found.append(value)
    return frozenset(plain(s) for s in found if plain(s))


def _used(folder: str, root: str) -> str | None:
    """Who has the disk or a partition of it: a mount, swap, another block device on top, or a loop device over it."""
    parts = [folder] + [f"{folder}/{n}" for n in _list(folder) if os.path.exists(f"{folder}/{n}/partition")]
    numbers = {_read(f"{p}/dev"): os.path.basename(p) for p in parts}
    for part in parts:
        holders = sorted(_list(f"{part}/holders"))
        if holders:
            return f"{os.path.basename(part)} is part of {', '.join(holders)}"

    def ours(path: str) -> str | None:
        try:
            return numbers.get(number(os.stat(path).st_rdev))
        except OSError:
            return None

    for line in _read(f"{root}/proc/self/mountinfo").splitlines():
        cells, _, rest = line.partition(" - ")
        fields, source = cells.split(), rest.split()[1:2]
        # A btrfs of several disks shows a number of its own there, so its source is looked at as well.
        name = numbers.get(fields[2]) or (
            ours(source[0]) if source and source[0].startswith("/dev/") else None
        )
        if name:
            return f"{name} is mounted at {fields[4]}"
    for line in _read(f"{root}/proc/swaps").splitlines()[1:]:
        name = ours(line.split()[0]) if line.split() else None
        if name:
            return f"{name} is swap"
    for loop in _list(f"{root}/sys/block"):
        backing = _read(f"{root}/sys/block/{loop}/loop/backing_file") if loop.startswith("loop") else ""
        name = ours(backing) if backing.startswith("/dev/") else None
        if name:
            return f"{name} is behind {loop}"
    return None
