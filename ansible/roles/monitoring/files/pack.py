"""Packs folders of Python code into a tar that is the same for the same code: <tar> <folder>…. Runs on the control node."""

import sys
import tarfile
from pathlib import Path


def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """As root's, readable by all, of no particular day."""
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    info.mtime = 0
    info.mode = 0o755 if info.isdir() else 0o644
    return info


def pack(out: Path, *parts: Path) -> None:
    with tarfile.open(out, "w") as tar:
        for folder in parts:
            folders = [folder, *(p for p in folder.rglob("*") if p.is_dir() and p.name != "__pycache__")]
            for path in sorted([*folders, *folder.rglob("*.py")]):
                name = str(path.relative_to(folder.parent))
                tar.add(path, arcname=name, recursive=False, filter=plain)


if __name__ == "__main__":
    pack(*map(Path, sys.argv[1:]))
