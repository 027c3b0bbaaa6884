"""Each card reached a temperature that it kept: heat is carried away as fast as it comes."""

from vcbox.checks import gpu_look, load_look, soak_look, window_look
from vcbox.checks.base import Profile, Raw, Result, judged, not_run

ID, TITLE, SUITE, NEEDS = "t7_steady", "Temperatures are steady", soak_look.SUITE, 4
gather = soak_look.gather
DEFAULT_MINUTES, DEFAULT_KELVIN = 10, 2.0


def steady_from(means: list[float], span: int, limit: float) -> int | None:
    """The first minute after which no minute's mean is further than `limit` from that of the last `span`; None where the end itself is not steady."""
    end = sum(means[-span:]) / span
    last = max((n for n, mean in enumerate(means) if abs(mean - end) > limit), default=-1)
    return None if last >= len(means) - span else last + 1


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := soak_look.stop(raw):
        return stop
    window = soak_look.last_window(raw)
    if isinstance(window, Result):
        return window
    if stop := window_look.untold(window):
        return stop
    span = int(load_look.setting(profile, "soak", "steadyMinutes", default=DEFAULT_MINUTES))
    limit, source = gpu_look.threshold(
        load_look.part(profile, "soak", "steadyKelvin") or DEFAULT_KELVIN, "max"
    )
    rises, tops, since = {}, {}, {}
    for gpu in range(raw["gpus"]):
        means = soak_look.minutes(window["rows"], "temperature.gpu", gpu)
        if not means:
            return not_run(f"telemetry tells no temperature of GPU {gpu}", window_look.AGAIN)
        if len(means) < 2 * span:
            reason = f"it took {soak_look.in_hours(soak_look.length(raw))}; steadiness is seen over {2 * span} min"
            return not_run(reason, "Run the soak for longer.", value=round(means[-1], 1), unit="°C")
        rises[gpu] = sum(means[-span:]) / span - sum(means[-2 * span : -span]) / span
        tops[gpu] = max(means)
        since[gpu] = (steady_from(means, span, limit), sum(means[-span:]) / span)
    want = f"rises by {limit:g} K or less from {span} min to the next"
    value = ", ".join(f"GPU {gpu} {rise:+.1f} K" for gpu, rise in rises.items())
    minutes = [minute for minute, _ in since.values()]
    if all(minute is not None for minute in minutes):
        value += f"; all steady from minute {max(m for m in minutes if m is not None)} on"
    text = "\n".join(
        f"GPU {gpu}: hottest minute {top:.1f} °C; "
        + (
            "never steady"
            if (at := since[gpu][0]) is None
            else f"from minute {at} on within {limit:g} K of {since[gpu][1]:.1f} °C"
        )
        for gpu, top in tops.items()
    )
    advice = "Heat is not carried away: check fans, filters and the air's way; see that the room's temperature is within its limits."
    found = judged(max(rises.values()) <= limit, value, want, advice, source=source, evidence=text)
    return soak_look.whole(raw, found)
