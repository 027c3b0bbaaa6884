"""What sysfs shows of the NVIDIA cards and the ports they hang on. Not a check itself."""

from pathlib import Path
from typing import Any

from vcbox.checks.base import Look
from vcbox.parsers.pci import gone, total

DEVICES = "/sys/bus/pci/devices"
NVIDIA, DISPLAY, BRIDGE = "0x10de", "0x03", "0x0604"
COUNTERS = ("correctable", "nonfatal", "fatal")


def cards(look: Look) -> list[dict[str, Any]]:
    """`{address, gone}` of each."""
    found = []
    for name in look.names(DEVICES):
        vendor, kind = look.read(f"{DEVICES}/{name}/vendor") or "", look.read(f"{DEVICES}/{name}/class") or ""
        if vendor.strip() == NVIDIA and kind.startswith(DISPLAY):
            found.append({"address": name, "gone": gone(look.bytes(f"{DEVICES}/{name}/config", 4))})
    return found


def errors(look: Look) -> list[dict[str, Any]]:
    """Counted PCIe errors of each card and of the port above it: `{address, correctable, nonfatal, fatal}`, None where not counted."""
    addresses: list[str] = []
    for card in cards(look):
        link = look.path(f"{DEVICES}/{card['address']}")
        above = Path(link).resolve().parent.name
        addresses += [card["address"], *([above] if above in look.names(DEVICES) else [])]
    return [
        {"address": a, **{c: total(look.read(f"{DEVICES}/{a}/aer_dev_{c}")) for c in COUNTERS}}
        for a in dict.fromkeys(addresses)
    ]


def bridges(look: Look) -> list[tuple[str, bytes | None]]:
    """Address and configuration of every bridge; ordinary users are shown its first 64 bytes only."""
    names = [n for n in look.names(DEVICES) if (look.read(f"{DEVICES}/{n}/class") or "").startswith(BRIDGE)]
    return [(n, look.bytes(f"{DEVICES}/{n}/config")) for n in names]
