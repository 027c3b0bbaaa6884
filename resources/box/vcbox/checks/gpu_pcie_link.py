"""The PCIe link that each card has at work. A low reading at idle proves nothing, since links drop then: data is sent meanwhile."""

from typing import Any

from vcbox.checks import gpu_look, link_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_run
from vcbox.parsers.pci import address

ID, TITLE, SUITE = "gpu_pcie_link", "PCIe: the link in use", gpu_look.SUITE
# Below this many per cent of use a card counts as idle.
BUSY_PERCENT = 50


def gather(look: Look) -> Raw:
    """`loaded`: the links while data goes over them, where one of them rests below what its card can do; else None."""
    raw = gpu_look.gather(look)
    gpus = raw["query"]["gpus"] if raw["query"] else []
    resting = any(_below(g, g["pcieGenCard"], g["pcieWidthMax"]) and not _busy(g) for g in gpus)
    return {**raw, "loaded": link_look.under_load(look) if resting else None}


def _below(gpu: dict[str, Any], generation: int | None, width: int | None) -> bool:
    return (gpu["pcieGenNow"] or 0) < (generation or 0) or (gpu["pcieWidthNow"] or 0) < (width or 0)


def _busy(gpu: dict[str, Any]) -> bool:
    return (gpu["utilization"] or 0) >= BUSY_PERCENT


def judge(raw: Raw, profile: Profile) -> Result:
    gpu = gpu_look.gpu_profile(profile)
    generation, source = gpu_look.threshold(gpu.get("pcieGen"), "value")
    width, _ = gpu_look.threshold(gpu.get("pcieWidth"), "value")
    if stop := gpu_look.blocked(raw):
        return stop
    if generation is None or width is None:
        return gpu_look.unnamed("PCIe generation and width")
    loaded = raw.get("loaded") or {"links": {}, "why": None}
    gpus = [_with(g, loaded["links"].get(address(g["bus"] or ""))) for g in raw["query"]["gpus"]]
    now = [(g["bus"], g["pcieGenNow"], g["pcieWidthNow"]) for g in gpus]
    if stop := gpu_look.unread([(bus, None if None in (g, w) else g) for bus, g, w in now], "the PCIe link"):
        return stop
    value = gpu_look.listed([(bus, f"Gen{g} x{w}") for bus, g, w in now])
    want = f"Gen{generation} x{width}"
    narrow = [g for g in gpus if _below(g, generation, width)]
    if any(not g.get("loaded") and not _busy(g) for g in narrow):
        reason = f"links drop at idle; {loaded['why'] or 'none was looked at under load'}"
        advice = "Run the suite again while the GPUs work, or the suites with load, which judge it, too."
        return not_run(reason, advice, value=value, threshold=want, source=source)
    advice = "The link stays low under load: check seating, riser, and the slot's settings in the BIOS."
    return judged(not narrow, value, want, advice, source=source)


def _with(gpu: dict[str, Any], link: list[int] | None) -> dict[str, Any]:
    return {**gpu, "pcieGenNow": link[0], "pcieWidthNow": link[1], "loaded": True} if link else gpu
