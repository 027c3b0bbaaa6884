"""The cards' fans turn once a card is warm. A card without fans of its own tells none."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE = "gpu_fans", "Fans", gpu_look.SUITE
gather = gpu_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    rests, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("fanRestsBelowC"), "max")
    if stop := gpu_look.blocked(raw):
        return stop
    pairs = gpu_look.each(raw, "fanPercent")
    if stop := gpu_look.untold(pairs, "the cards tell of no fan of their own", "the fan"):
        return stop
    if rests is None:
        return gpu_look.unnamed("temperature from which fans turn")
    warm = dict(gpu_look.each(raw, "temperatureC"))
    still = [
        (bus, f"0 % at {warm[bus]} °C") for bus, speed in pairs if speed == 0 and (warm[bus] or 0) >= rests
    ]
    value = gpu_look.where(still) or gpu_look.listed(pairs, " %")
    advice = "Look whether the fan turns and nothing is in its way; if it does not, send the card back (RMA)."
    return judged(not still, value, f"turning from {rests} °C on", advice, source=source)
