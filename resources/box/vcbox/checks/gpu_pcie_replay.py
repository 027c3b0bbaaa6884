"""PCIe packets hardly ever had to be sent again."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE = "gpu_pcie_replay", "PCIe: packets sent again", gpu_look.SUITE
gather = gpu_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    limit, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("pcieReplays"), "max")
    if stop := gpu_look.blocked(raw):
        return stop
    if limit is None:
        return gpu_look.unnamed("limit of PCIe replays")
    pairs = gpu_look.each(raw, "replays")
    if stop := gpu_look.untold(pairs, "the cards do not count them", "the number of PCIe replays"):
        return stop
    rolled = [(bus, n) for bus, n in gpu_look.each(raw, "replayRollovers") if n]
    good = all(n <= limit for _, n in pairs) and not rolled
    value = gpu_look.listed(pairs) + (f"; counted over on {gpu_look.where(rolled)}" if rolled else "")
    advice = "Reseat the card; replace the riser or its cable; set the slot one generation lower to see whether it is the signal."
    return judged(good, value, f"at most {limit} since the driver was loaded", advice, source=source)
