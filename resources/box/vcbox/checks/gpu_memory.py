"""Every GPU has the memory of the profile."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE = "gpu_memory", "GPU memory", gpu_look.SUITE
gather = gpu_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    gpu = gpu_look.gpu_profile(profile)
    want, source = gpu_look.threshold(gpu.get("memoryMiB"), "value")
    allowed, _ = gpu_look.threshold(gpu.get("memoryToleranceMiB", 0), "value")
    if stop := gpu_look.blocked(raw):
        return stop
    if want is None:
        return gpu_look.unnamed("GPU memory")
    pairs = gpu_look.each(raw, "memoryMiB")
    if stop := gpu_look.unread(pairs, "the memory size"):
        return stop
    good = all(abs(found - want) <= (allowed or 0) for _, found in pairs)
    text = f"{want} MiB" + (f" ± {allowed} MiB" if allowed else "")
    advice = "A card with other memory is in the box: compare its name and serial with the order."
    return judged(good, gpu_look.listed(pairs), text, advice, source=source, unit="MiB")
