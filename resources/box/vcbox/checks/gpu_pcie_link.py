"""The PCIe link that each card has now. A reading at idle proves nothing when it is low, since links drop then."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged, not_run

ID, TITLE, SUITE = "gpu_pcie_link", "PCIe: the link in use", gpu_look.SUITE
gather = gpu_look.gather
IDLE = "links drop at idle; needs load, which comes with layer 4's suites"
# Below this many per cent of use a card counts as idle.
BUSY_PERCENT = 50


def judge(raw: Raw, profile: Profile) -> Result:
    gpu = gpu_look.gpu_profile(profile)
    generation, source = gpu_look.threshold(gpu.get("pcieGen"), "value")
    width, _ = gpu_look.threshold(gpu.get("pcieWidth"), "value")
    if stop := gpu_look.blocked(raw):
        return stop
    if generation is None or width is None:
        return gpu_look.unnamed("PCIe generation and width")
    now = [(g["bus"], g["pcieGenNow"], g["pcieWidthNow"]) for g in raw["query"]["gpus"]]
    if stop := gpu_look.unread([(bus, None if None in (g, w) else g) for bus, g, w in now], "the PCIe link"):
        return stop
    value = gpu_look.listed([(bus, f"Gen{g} x{w}") for bus, g, w in now])
    want = f"Gen{generation} x{width}"
    narrow = [g for g in raw["query"]["gpus"] if g["pcieGenNow"] < generation or g["pcieWidthNow"] < width]
    if any((g["utilization"] or 0) < BUSY_PERCENT for g in narrow):
        advice = "Run the suite again while the GPUs work."
        return not_run(IDLE, advice, value=value, threshold=want, source=source)
    advice = "The link stays low under load: check seating, riser, and the slot's settings in the BIOS."
    return judged(not narrow, value, want, advice, source=source)
