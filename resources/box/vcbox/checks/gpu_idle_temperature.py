"""Idle cards are cool: a hot one at rest has a fan or a mounting problem."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged, not_run

ID, TITLE, SUITE = "gpu_idle_temperature", "Temperature at idle", gpu_look.SUITE
gather = gpu_look.gather
IDLE_PERCENT = 10


def judge(raw: Raw, profile: Profile) -> Result:
    limit, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("idleTemperatureC"), "max")
    if stop := gpu_look.blocked(raw):
        return stop
    if limit is None:
        return gpu_look.unnamed("idle temperature")
    pairs = gpu_look.each(raw, "temperatureC")
    if stop := gpu_look.unread(pairs, "the core temperature"):
        return stop
    hottest = max(value for _, value in pairs)
    text = f"below {limit} °C"
    busy = [bus for bus, used in gpu_look.each(raw, "utilization") if (used or 0) > IDLE_PERCENT]
    if busy and hottest >= limit:
        advice = "Stop what uses the GPUs, wait some minutes, run again."
        return not_run(
            f"not idle: {', '.join(busy)}", advice, value=hottest, unit="°C", threshold=text, source=source
        )
    advice = (
        "Check fans, airflow and the room's temperature; let the box rest for some minutes, then run again."
    )
    evidence = "core temperature: " + ", ".join(f"{bus} {value} °C" for bus, value in pairs)
    return judged(hottest < limit, hottest, text, advice, source=source, unit="°C", evidence=evidence)
