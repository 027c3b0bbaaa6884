"""The NVMe disks say of themselves that they are well. What a disk or the tools do not tell is no fault."""

import re

from vcbox.checks import gpu_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_supported
from vcbox.parsers.smart import parse_smart

ID, TITLE, SUITE = "nvme_smart", "NVMe disks: SMART", gpu_look.SUITE
NAME = re.compile(r"nvme\d+")
WORN_PERCENT = 100


def gather(look: Look) -> Raw:
    """Of each disk what smartctl or, without it, nvme-cli tells; None where neither does."""
    disks = {}
    tools = set()
    for name in (n for n in look.names("/sys/class/nvme") if NAME.fullmatch(n)):
        for argv in (("smartctl", "-j", "-a"), ("nvme", "smart-log", "-o", "json")):
            raw = look.command(*argv, f"/dev/{name}")
            if raw["status"] == 127:
                continue
            tools.add(argv[0])
            # smartctl's status has bits for what the disk says; its text is read whatever they are.
            disks[name] = parse_smart(raw["out"])
            if disks[name]:
                break
        disks.setdefault(name, None)
    return {"disks": disks, "tools": sorted(tools)}


def judge(raw: Raw, profile: Profile) -> Result:
    disks = raw["disks"]
    if not disks:
        return not_supported("there is no NVMe disk")
    if not raw["tools"]:
        return not_supported("neither smartctl nor nvme-cli is installed")
    told = {name: smart for name, smart in disks.items() if smart}
    if not told:
        return not_supported(f"no SMART from {', '.join(disks)}")
    bad = [f"{name}: {word}" for name, smart in told.items() for word in _faults(smart)]
    evidence = "\n".join(f"{name}: {smart or 'not told'}" for name, smart in disks.items())
    advice = "Save what is on the disk and replace it."
    want = "no warning, spare above its limit, no media errors, not worn out"
    return judged(not bad, ", ".join(bad) or f"well: {', '.join(told)}", want, advice, evidence=evidence)


def _faults(smart: Raw) -> list[str]:
    found = []
    if smart["passed"] is False:
        found.append("it says that it fails")
    if smart["warning"]:
        found.append(f"critical warning 0x{smart['warning']:02x}")
    if smart["mediaErrors"]:
        found.append(f"{smart['mediaErrors']} media errors")
    if (
        smart["sparePercent"] is not None
        and smart["spareLimit"] is not None
        and smart["sparePercent"] < smart["spareLimit"]
    ):
        found.append(f"spare {smart['sparePercent']} %, limit {smart['spareLimit']} %")
    if smart["usedPercent"] is not None and smart["usedPercent"] >= WORN_PERCENT:
        found.append(f"worn out ({smart['usedPercent']} % used)")
    return found
