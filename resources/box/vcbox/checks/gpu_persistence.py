"""The driver stays loaded on every card, so that settings stay and the first program starts at once."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged, not_supported

ID, TITLE, SUITE = "gpu_persistence", "Persistence", gpu_look.SUITE
gather = gpu_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := gpu_look.blocked(raw):
        return stop
    pairs = gpu_look.each(raw, "persistence")
    if gpu_look.silent(pairs):
        return not_supported("the cards do not tell it")
    good = all(word == "Enabled" for _, word in pairs)
    advice = "Start nvidia-persistenced and let it start at boot; layer 2 does."
    source = "specification, layer 2: nvidia-persistenced"
    return judged(good, gpu_look.listed(pairs), "Enabled", advice, source=source)
