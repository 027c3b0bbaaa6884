"""The PCIe link that each card could have: generation and width, from the card itself."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE = "gpu_pcie_max", "PCIe: what the cards can do", gpu_look.SUITE
gather = gpu_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    gpu = gpu_look.gpu_profile(profile)
    generation, source = gpu_look.threshold(gpu.get("pcieGen"), "value")
    width, _ = gpu_look.threshold(gpu.get("pcieWidth"), "value")
    if stop := gpu_look.blocked(raw):
        return stop
    if generation is None or width is None:
        return gpu_look.unnamed("PCIe generation and width")
    pairs = [(bus, None if g is None or w is None else (g, w)) for (bus, g), (_, w) in _both(raw)]
    if stop := gpu_look.unread(pairs, "the largest PCIe link"):
        return stop
    good = all(g >= generation and w >= width for _, (g, w) in pairs)
    value = gpu_look.listed([(bus, f"Gen{g} x{w}") for bus, (g, w) in pairs])
    advice = "Look at the slot: its lanes may be shared or bifurcated in the BIOS; a riser may limit them."
    return judged(good, value, f"Gen{generation} x{width}", advice, source=source)


def _both(raw: Raw) -> list[tuple[tuple[str, int | None], tuple[str, int | None]]]:
    return list(zip(gpu_look.each(raw, "pcieGenCard"), gpu_look.each(raw, "pcieWidthMax"), strict=True))
