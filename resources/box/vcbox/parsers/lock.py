"""Python environments: lock files, what is installed, and which GPUs a build has kernels for."""

import csv
import re

PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)
ARCH = re.compile(r"^(sm|compute)_(\d+)(\d)$")


def canonical(name: str) -> str:
    """The one spelling of a package's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parse_lock(text: str) -> dict[str, str]:
    """A requirements file with pins: name to version."""
    return {canonical(name): version for name, version in PIN.findall(text)}


def parse_record(text: str) -> list[tuple[str, int]]:
    """A package's RECORD: its files with their sizes; those without one (byte code, RECORD itself) are left out."""
    rows = csv.reader(text.splitlines())
    return [(row[0], int(row[2])) for row in rows if len(row) == 3 and row[2].isdigit()]


def covers(archs: list[str], capability: str) -> bool:
    """Whether a build with kernels for `archs` ("sm_90", "compute_90") has some for a compute capability ("9.0").

    Binary code runs on the same major version from its minor version on; so does PTX here, which the driver could also
    compile for later ones: that is slow at best, and nobody vouches for it.
    """
    major, _, minor = capability.partition(".")
    for arch in archs:
        found = ARCH.match(arch.strip())
        if found and found[2] == major and int(found[3]) <= int(minor or 0):
            return True
    return False
