"""Each GPU is in use while it trains, by telemetry of the measured window alone."""

from vcbox.checks import ddp_look, load_look, window_look
from vcbox.checks.base import Profile, Raw, Result, judged, not_run

ID, TITLE, SUITE, NEEDS = "t2_utilization", "GPUs are busy while they train", ddp_look.SUITE, 4
gather = ddp_look.gather


# A sample tells of the time before it.
SETTLE_SECONDS = 1.0


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := ddp_look.stop(raw):
        return stop
    run = ddp_look.whole(raw)
    if run is None:
        return ddp_look.before(raw)
    window = run["windows"].get(f"ddp-{raw['gpus']}")
    if window is None or window["end"] is None:
        return load_look.broken(run, "the end of its measured window", ddp_look.ADVICE)
    window = {**window, "rows": [row for row in window["rows"] if row[0] >= window["begin"] + SETTLE_SECONDS]}
    if stop := window_look.untold(window):
        return stop
    used = window_look.column(window, run["fields"], "utilization.gpu")
    means = {card: sum(values) / len(values) for card, values in sorted(used.items()) if values}
    missing = [str(card) for card in range(raw["gpus"]) if card not in means]
    if missing:
        return not_run(f"telemetry tells no utilization of GPU {', '.join(missing)}", window_look.AGAIN)
    limit, source = load_look.floor(profile, "ddp", "utilizationPercent")
    value = round(min(means.values()), 1)
    text = ", ".join(f"GPU {card} {mean:.1f} %" for card, mean in means.items())
    advice = "A card that waits is starved by another or by the processor: compare clocks and links of all cards under load."
    if limit is None:
        return load_look.at_least(value, (None, None), "%", advice, evidence=text)
    return judged(
        value > limit, value, f"more than {limit:g} % on each", advice, unit="%", source=source, evidence=text
    )
