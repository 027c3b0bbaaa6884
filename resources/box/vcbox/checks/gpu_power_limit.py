"""Each card may draw what it is made for: its power limit is its default and the profile's."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE = "gpu_power_limit", "Power limit", gpu_look.SUITE
gather = gpu_look.gather
ROUNDING_W = 1.0


def judge(raw: Raw, profile: Profile) -> Result:
    want, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("powerLimitW"), "value")
    if stop := gpu_look.blocked(raw):
        return stop
    pairs = gpu_look.each(raw, "powerLimitW")
    if stop := gpu_look.untold(pairs, "the cards tell no power limit", "the power limit"):
        return stop
    default = dict(gpu_look.each(raw, "powerDefaultW"))
    low = [(b, w) for b, w in pairs if default[b] is not None and abs(w - default[b]) > ROUNDING_W]
    other = [(b, w) for b, w in pairs if want is not None and abs(w - want) > ROUNDING_W]
    text = f"{want:g} W, the card's default" if want is not None else "the card's default"
    advice = "Set it back: `nvidia-smi -pl` with the default, and look for what sets it at boot (a service, nvidia-persistenced)."
    if not low and other:
        advice = "The card's own default is another: compare its part number with the order."
    bad = low or other
    value = (
        gpu_look.where([(b, f"{w:g} of {default[b] or '?'}") for b, w in bad])
        if bad
        else gpu_look.listed([(b, f"{w:g}") for b, w in pairs])
    )
    return judged(not bad, value, text, advice, source=source, unit="W")
