"""Which machine this is, and which of its disks is meant: by serial, since a path is only where a disk was before the last boot."""

import os
from pathlib import Path
from typing import Any

from vcbox.context import JobFailed
from vcflash import identity
from vcflash.frames import TargetName

DMI = {"boardSerial": "board_serial", "productUuid": "product_uuid"}


def machine(root: str = "/") -> dict[str, str | None]:
    """`boardSerial` and `productUuid` as the firmware tells root; None where it does not."""
    return {key: _read(f"{root}/sys/class/dmi/id/{name}") for key, name in DMI.items()}


def must_be(wanted: dict[str, Any] | None, found: dict[str, str | None]) -> None:
    """JobFailed `flash_other_box` where something is known of the box that was meant and this one has another. What either side
    does not know says nothing: many boards have no serial."""
    for key in DMI:
        want, have = (wanted or {}).get(key), found.get(key)
        if want and have and str(want).lower() != have.lower():
            raise JobFailed(
                "flash_other_box", f"this machine has {key} {have}, the one that was meant {want}"
            )


def locate(told: dict[str, Any], root: str = "/") -> TargetName:
    """The disk with the serial and size that were told, wherever it is now. A loop device has no serial and is taken by its path;
    the writer refuses any other disk without one. JobFailed `target_missing`, `target_serial` where two answer to it."""
    serial, size = told.get("serial"), told.get("size")
    if type(size) is not int or size < 1 or not (serial is None or (isinstance(serial, str) and serial)):
        raise JobFailed("spec_invalid", "the target has no size, or a serial that is no word")
    if serial is None:
        path = told.get("path")
        if not isinstance(path, str) or not path.startswith("/dev/"):
            raise JobFailed("spec_invalid", "a target without a serial has no path either")
        return TargetName("disk", path, None, size)
    names = [name for name in sorted(os.listdir(f"{root}/sys/block")) if _is(name, serial, size, root)]
    if not names:
        raise JobFailed("target_missing", f"no disk here has the serial {serial} and {size} bytes")
    if len(names) > 1:
        raise JobFailed("target_serial", f"{' and '.join(names)} all have the serial {serial}")
    return TargetName("disk", f"/dev/{names[0].replace('!', '/')}", serial, size)


def _is(name: str, serial: str, size: int, root: str) -> bool:
    major, _, minor = (_read(f"{root}/sys/block/{name}/dev") or "").partition(":")
    # One path of an NVMe disk with several is hidden, and no disk of its own.
    if not (major.isdigit() and minor.isdigit()) or _read(f"{root}/sys/block/{name}/hidden") == "1":
        return False
    facts = identity.look(os.makedev(int(major), int(minor)), root)
    return facts is not None and facts.size == size and identity.plain(serial) in facts.serials


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(errors="replace").strip() or None
    except OSError:
        return None
