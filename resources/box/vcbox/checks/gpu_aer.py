"""The PCIe ports of the cards report no errors (AER), in their counters and in the kernel log."""

from typing import Any

from vcbox.checks import gpu_look, kernel_look, pci_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_supported
from vcbox.parsers.kernel_log import parse_aer
from vcbox.parsers.pci import address

ID, TITLE, SUITE = "gpu_aer", "PCIe: errors reported (AER)", gpu_look.SUITE
ADVICE = "Reseat the card; replace the riser or its cable; try another slot; look for a newer BIOS."


def gather(look: Look) -> Raw:
    return {**kernel_look.gather(look), "ports": pci_look.errors(look)}


def judge(raw: Raw, profile: Profile) -> Result:
    limit, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("aerCorrectable"), "max")
    ports: list[dict[str, Any]] = raw["ports"]
    ours = {p["address"] for p in ports}
    if raw["query"]:
        ours |= {address(g["bus"] or "") for g in raw["query"]["gpus"]}
    lines = [e for e in parse_aer(raw["log"] or "") if e["device"] in ours]
    want = f"no uncorrectable one, at most {limit} corrected" if limit is not None else "no uncorrectable one"
    more = {"source": source, "evidence": _evidence(ports, [e["line"] for e in lines])}
    hard = {e["device"] for e in lines if e["severity"] != "corrected"}
    hard |= {p["address"] for p in ports if (p["nonfatal"] or 0) + (p["fatal"] or 0) > 0}
    if hard:
        return judged(False, f"uncorrectable on {', '.join(sorted(hard))}", want, ADVICE, **more)
    counts = {a: max(_counted(ports, a), sum(e["device"] == a for e in lines)) for a in ours}
    worst = max(counts.values(), default=0)
    if limit is not None and worst > limit:
        value = ", ".join(f"{a}: {n} corrected" for a, n in sorted(counts.items()) if n > limit)
        return judged(False, value, want, ADVICE, **more)
    if not ports and (stop := gpu_look.blocked(raw)):
        return stop
    if all(p["correctable"] is None for p in ports):
        if stop := kernel_look.unread(raw):
            return stop
        return not_supported("the ports of the cards count no errors: the kernel reports none of theirs")
    return judged(True, f"at most {worst} corrected" if worst else "none", want, "", **more)


def _counted(ports: list[dict[str, Any]], where: str) -> int:
    return sum(p["correctable"] or 0 for p in ports if p["address"] == where)


def _evidence(ports: list[dict[str, Any]], lines: list[str]) -> str:
    counts = [
        f"{p['address']}: correctable {p['correctable']}, nonfatal {p['nonfatal']}, fatal {p['fatal']}"
        for p in ports
    ]
    return "\n".join(counts + lines)[-8000:]
