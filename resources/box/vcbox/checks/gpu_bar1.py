"""The processor sees the whole memory of each card: resizable BAR and Above 4G decoding are on."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE = "gpu_bar1", "Resizable BAR", gpu_look.SUITE
gather = gpu_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    floor, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("bar1MiB"), "min")
    if stop := gpu_look.blocked(raw):
        return stop
    if floor is None:
        return gpu_look.unnamed("size of BAR 1")
    pairs = gpu_look.each(raw, "bar1MiB")
    if stop := gpu_look.unread(pairs, "the size of BAR 1"):
        return stop
    good = all(size >= floor for _, size in pairs)
    advice = "Switch Above 4G decoding and resizable BAR on in the BIOS, then boot again."
    return judged(good, gpu_look.listed(pairs), f"at least {floor} MiB", advice, source=source, unit="MiB")
