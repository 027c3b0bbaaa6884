"""What `nvidia-smi -q -x` tells of a card's health. None where the card does not tell it; names of older drivers are taken, too."""

import xml.etree.ElementTree as ET
from typing import Any

from vcbox.parsers.nvidia_values import LOST, number, text, whole

YES = {"yes": True, "no": False}
REASON = ("clocks_event_reason", "clocks_throttle_reason")


def parse_health(g: ET.Element) -> dict[str, Any]:
    """Of a `<gpu>` element; powers in W, counters since the driver was loaded unless they say otherwise."""
    return {
        "replays": whole(g.findtext("pci/replay_counter")),
        "replayRollovers": whole(g.findtext("pci/replay_rollover_counter")),
        "fanPercent": whole(g.findtext("fan_speed")),
        "computeMode": text(g.findtext("compute_mode")),
        "mig": text(g.findtext("mig_mode/current_mig")),
        "addressing": text(g.findtext("addressing_mode")),
        "recovery": _recovery(g),
        "lost": sorted({e.tag for e in g.iter() if LOST.search((e.text or "").strip())})[:20],
        "reasons": _reasons(g),
        "powerLimitW": _power(g, "current_power_limit", "enforced_power_limit", "power_limit"),
        "powerDefaultW": _power(g, "default_power_limit"),
        "powerMaxW": _power(g, "max_power_limit"),
        "ecc": _ecc(g),
        "remap": _remap(g),
    }


def _recovery(g: ET.Element) -> str | None:
    """What the driver asks for to get the card back: "None" is an answer here, and None is silence."""
    found = (g.findtext("gpu_recovery_action") or "").strip()
    return None if found.lower() in ("", "n/a") else found


def _reasons(g: ET.Element) -> list[str] | None:
    """Why the clocks are not higher, as "gpu_idle", "hw_power_brake_slowdown"; None where none of them is told."""
    told = False
    active = []
    for prefix in REASON:
        for e in g.findall(f"{prefix}s/*"):
            word = (e.text or "").strip()
            told = told or word in ("Active", "Not Active")
            if word == "Active":
                active.append(e.tag.removeprefix(f"{prefix}_"))
    return active if told else None


def _power(g: ET.Element, *names: str) -> float | None:
    for part in ("gpu_power_readings", "power_readings"):
        for name in names:
            found = number(g.findtext(f"{part}/{name}"))
            if found is not None:
                return found
    return None


def _sum(part: ET.Element | None, start: str) -> int | None:
    """The sum of the counters whose names start so; None where none is told."""
    values = [whole(e.text) for e in (part if part is not None else []) if e.tag.startswith(start)]
    told = [v for v in values if v is not None]
    return sum(told) if told else None


def _ecc(g: ET.Element) -> dict[str, Any]:
    errors = g.find("ecc_errors")
    found: dict[str, Any] = {"mode": text(g.findtext("ecc_mode/current_ecc"))}
    for span in ("volatile", "aggregate"):
        part = errors.find(span) if errors is not None else None
        for kind in ("sram", "dram"):
            found[f"{span}{kind.capitalize()}"] = _sum(part, f"{kind}_uncorrectable")
    said = {"exceeded": "aggregate/sram_threshold_exceeded", "unrepairable": "unrepairable_memory"}
    said |= {"channelPending": "channel_repair_pending", "tpcPending": "tpc_repair_pending"}
    return found | {
        k: YES.get((g.findtext(f"ecc_errors/{v}") or "").strip().lower()) for k, v in said.items()
    }


def _remap(g: ET.Element) -> dict[str, Any] | None:
    """Rows that were replaced by spare ones; None for a card that does not remap."""
    pending = YES.get((g.findtext("remapped_rows/remapped_row_pending") or "").strip().lower())
    failed = YES.get((g.findtext("remapped_rows/remapped_row_failure") or "").strip().lower())
    if pending is None and failed is None:
        return None
    counts = {
        "correctable": whole(g.findtext("remapped_rows/remapped_row_corr")),
        "uncorrectable": whole(g.findtext("remapped_rows/remapped_row_unc")),
    }
    return {"pending": pending, "failed": failed, **counts}
