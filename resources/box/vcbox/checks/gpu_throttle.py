"""Nothing slows the cards down now: no heat, no power brake. Rest and the driver's own power cap are no fault."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE = "gpu_throttle", "Nothing slows the cards down", gpu_look.SUITE
gather = gpu_look.gather
# Somebody set these; they slow a card down, too, but say nothing about it.
CHOSEN = {"applications_clocks_setting", "sync_boost", "display_clocks_setting"}
WORDS = {
    "hw_slowdown": "hardware slowdown",
    "hw_thermal_slowdown": "heat (hardware)",
    "sw_thermal_slowdown": "heat (driver)",
    "hw_power_brake_slowdown": "power brake",
}
HEAT = "Check fans, airflow, and the room's temperature; then the card's mounting and thermal paste."
BRAKE = "Check the power cables at both ends, the power supply, and the circuit: it signals that it cannot give what is drawn."


def judge(raw: Raw, profile: Profile) -> Result:
    fine, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("throttleAcceptable"), "value")
    if stop := gpu_look.blocked(raw):
        return stop
    if fine is None:
        return gpu_look.unnamed("acceptable reasons of low clocks")
    pairs = gpu_look.each(raw, "reasons")
    if stop := gpu_look.untold(pairs, "the cards do not tell why their clocks are low", "why its clocks are low"):
        return stop
    bad = [(bus, [r for r in reasons if r not in fine]) for bus, reasons in pairs]
    bad = [(bus, reasons) for bus, reasons in bad if reasons]
    want = f"none but {', '.join(fine)}"
    value = gpu_look.where([(bus, ", ".join(WORDS.get(r, r) for r in reasons)) for bus, reasons in bad])
    if not bad:
        told = gpu_look.listed([(bus, ", ".join(r) or "none") for bus, r in pairs])
        return judged(True, told, want, "", source=source)
    if all(r in CHOSEN for _, reasons in bad for r in reasons):
        advice = "Somebody limits the clocks: set them free with `nvidia-smi -rgc`, `nvidia-smi -rac`."
        return Result("warn", value, threshold=want, source=source, next=advice)
    brake = any("hw_power_brake_slowdown" in reasons for _, reasons in bad)
    return judged(False, value, want, BRAKE if brake else HEAT, source=source)
