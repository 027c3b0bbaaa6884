"""Every card has the same VBIOS: mixed ones have behaved differently under load."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE = "gpu_vbios_same", "The same VBIOS on every card", gpu_look.SUITE
gather = gpu_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := gpu_look.blocked(raw):
        return stop
    pairs = gpu_look.each(raw, "vbios")
    if stop := gpu_look.unread(pairs, "the VBIOS version"):
        return stop
    same = len({version for _, version in pairs}) == 1
    advice = "Ask the vendor for one VBIOS for all cards."
    return judged(same, gpu_look.listed(pairs), "one version", advice)
