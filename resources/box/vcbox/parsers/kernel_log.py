"""What the kernel log says of GPUs and of their PCIe ports."""

import re
from dataclasses import dataclass
from typing import Any

XID = re.compile(r"NVRM: Xid \(PCI:(?P<bus>[0-9a-fA-F:.]+)[^)]*\): (?P<number>\d+)")
# Newer drivers write this line without its Xid (leptonai/gpud#1209).
FALLEN = re.compile(r"NVRM:.* GPU (?:at )?(?P<bus>[0-9a-fA-F:.]{7,}): GPU has fallen off the bus")
# Azure's node checks treat these as fatal (azurehpc-health-checks, azure_gpu_xid.nhc); a profile may name others.
FATAL = frozenset({48, 56, 57, 58, 62, 63, 64, 65, 68, 69, 73, 74, 79, 80, 81, 92, 119, 120})
HMM = re.compile(r"nvidia[-_]uvm.*(request_free_mem_region|\bhmm\b|uvm_hmm)|uvm_hmm\w*\+0x", re.IGNORECASE)
AER = re.compile(
    r"(?P<device>[0-9a-fA-F]{4}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.\d): (?:AER: )?PCIe Bus Error: severity=(?P<severity>[^,]+)"
)
RELEVANT = re.compile(r"NVRM|nvidia|uvm_hmm|PCIe Bus Error|\bAER\b", re.IGNORECASE)


def relevant(log: str) -> str:
    return "\n".join(line for line in log.splitlines() if RELEVANT.search(line))


def short_bus(bus: str) -> str:
    """ "00000000:41:00.0" and "0000:41:00" as "0000:41:00", by which the kernel, the driver and nvidia-smi agree."""
    parts = bus.lower().split(".")[0].split(":")
    return ":".join([parts[0][-4:].rjust(4, "0"), *parts[1:]]) if len(parts) == 3 else bus.lower()


def parse_xids(log: str) -> list[dict[str, Any]]:
    """Every Xid line: `{bus, xid, line}`. A card that has fallen off the bus is Xid 79, once a card."""
    found: list[dict[str, Any]] = []
    for line in log.splitlines():
        if match := XID.search(line):
            found.append({"bus": match["bus"], "xid": int(match["number"]), "line": line.strip()})
        elif match := FALLEN.search(line):
            known = {short_bus(x["bus"]) for x in found if x["xid"] == 79}
            if short_bus(match["bus"]) not in known:
                found.append({"bus": match["bus"], "xid": 79, "line": line.strip()})
    return found


def parse_hmm(log: str) -> list[str]:
    """Lines in which the driver's unified memory says that it cannot mirror the processor's (HMM)."""
    return [line.strip() for line in log.splitlines() if HMM.search(line)]


def parse_aer(log: str) -> list[dict[str, str]]:
    """Every report of a PCIe error: `{device, severity, line}`; severity is "corrected", "nonfatal" or "fatal"."""
    found = []
    for line in log.splitlines():
        if match := AER.search(line):
            word = match["severity"].lower()
            kind = (
                "corrected" if word.startswith("correct") else "nonfatal" if "non-fatal" in word else "fatal"
            )
            found.append({"device": match["device"].lower(), "severity": kind, "line": line.strip()})
    return found


@dataclass(frozen=True)
class Complaint:
    """What the driver says in the kernel log when it cannot work with a card, what that means, and what to do."""

    pattern: re.Pattern[str]
    sentence: str
    next: str


def _complaint(pattern: str, sentence: str, next: str) -> Complaint:
    return Complaint(re.compile(pattern, re.IGNORECASE), sentence, next)


COMPLAINTS = (
    _complaint(
        r"NVRM:.*PCI I/O region assigned to your NVIDIA device is invalid",
        "a card got no memory window",
        "Switch Above 4G decoding and resizable BAR on in the BIOS, then boot again.",
    ),
    _complaint(
        r"NVRM: API mismatch",
        "the module and the user space are of two versions",
        "Reboot, then run layer 2 again.",
    ),
    _complaint(
        r"NVRM:.*(RmInitAdapter failed|rm_init_adapter failed)",
        "the driver could not start a card",
        "Switch the box off, reseat the card and its power cable, boot, then run the suite again; if it stays, swap slots to see "
        "whether the card or the slot is at fault.",
    ),
    _complaint(
        r"NVRM:.*(GPU lost from the bus|GPU_IS_LOST)|nvidia.*(Unable to change power state from D3cold|device inaccessible)",
        "a card no longer answers on the bus",
        "Reboot; if it comes again, reseat the card and its power cable and give the box a circuit of its own.",
    ),
    _complaint(
        r"uvm encountered global fatal error",
        "the driver's unified memory gave up",
        "Reboot; no CUDA program can start before.",
    ),
    _complaint(
        r"NVRM:.*(The NVIDIA probe routine failed|No NVIDIA (GPU|devices) (found|probed)|GPU does not have the necessary power)",
        "the driver took no hold of a card",
        "Look at the lines around it; check that the module is open and knows this card, and the card's power cable.",
    ),
)


def parse_complaints(log: str) -> list[tuple[Complaint, str]]:
    """Every line of the driver's that names a card it cannot work with, with what it means."""
    found = []
    for line in log.splitlines():
        known = next((c for c in COMPLAINTS if c.pattern.search(line)), None)
        if known:
            found.append((known, line.strip()))
    return found
