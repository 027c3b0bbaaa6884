"""Every GPU is the model of the profile."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE = "gpu_name", "GPU model", gpu_look.SUITE
gather = gpu_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    want, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("name"), "value")
    if stop := gpu_look.blocked(raw):
        return stop
    if want is None:
        return gpu_look.unnamed("GPU model")
    pairs = gpu_look.each(raw, "name")
    good = all(name == want for _, name in pairs)
    advice = "Another card is in the box, or another profile is meant: choose the profile for this machine."
    return judged(good, gpu_look.listed(pairs), want, advice, source=source)
