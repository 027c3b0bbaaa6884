"""NVIDIA's messages in the kernel log."""

import re
from typing import Any

XID = re.compile(r"NVRM: Xid \(PCI:(?P<bus>[0-9a-fA-F:.]+)\): (?P<number>\d+)")
# Azure's node checks treat these as fatal (docs: the profile's sources).
FATAL = frozenset({48, 56, 57, 58, 62, 63, 64, 65, 68, 69, 73, 74, 79, 80, 81, 92, 119, 120})


def parse_xids(log: str) -> list[dict[str, Any]]:
    """Every Xid line: `{bus, xid, line}`."""
    found = []
    for line in log.splitlines():
        match = XID.search(line)
        if match:
            found.append({"bus": match["bus"], "xid": int(match["number"]), "line": line.strip()})
    return found
