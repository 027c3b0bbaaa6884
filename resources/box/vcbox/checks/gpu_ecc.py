"""The cards' memories had no error that could not be corrected."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged, not_supported
from vcbox.xids import RESET, RMA

ID, TITLE, SUITE = "gpu_ecc", "No uncorrectable memory errors", gpu_look.SUITE
gather = gpu_look.gather
COUNTS = {
    "volatileSram": "SRAM since the driver was loaded",
    "volatileDram": "DRAM since the driver was loaded",
    "aggregateSram": "SRAM in its life",
    "aggregateDram": "DRAM in its life",
}


def judge(raw: Raw, profile: Profile) -> Result:
    limit, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("eccUncorrectable"), "max")
    if stop := gpu_look.blocked(raw):
        return stop
    if limit is None:
        return gpu_look.unnamed("limit of uncorrectable errors")
    pairs = gpu_look.each(raw, "ecc")
    told = [(bus, e) for bus, e in pairs if any(e[c] is not None for c in COUNTS)]
    if not told:
        modes = {e["mode"] for _, e in pairs}
        why = (
            "error correction is off"
            if modes == {"Disabled"}
            else "the cards count no errors of their memory"
        )
        return not_supported(why)
    if stop := gpu_look.unread(
        [(b, e if (b, e) in told else None) for b, e in pairs], "errors of its memory"
    ):
        return stop
    want = f"at most {limit}"
    broken = [(bus, "unrepairable memory") for bus, e in told if e["unrepairable"]]
    broken += [(bus, "its limit of SRAM errors is exceeded") for bus, e in told if e["exceeded"]]
    counted = [
        (bus, f"{e[c]} in {text}") for c, text in COUNTS.items() for bus, e in told if (e[c] or 0) > limit
    ]
    # An error of DRAM in a card's past was mended by a spare row, which has a check of its own.
    past = [
        (bus, f"{e['aggregateDram']} in DRAM in its life")
        for bus, e in told
        if (e["aggregateDram"] or 0) > limit
    ]
    bad = broken + [c for c in counted if c not in past]
    if bad:
        return judged(False, gpu_look.where(bad)[:300], want, RMA if broken else RESET, source=source)
    pending = [
        (bus, "a repair waits for a reset") for bus, e in told if e["channelPending"] or e["tpcPending"]
    ]
    if past or pending:
        advice = "Reboot the box, so that what is to be repaired is; run the memory test; watch whether the number grows."
        return Result(
            "warn", gpu_look.where(pending + past)[:300], threshold=want, source=source, next=advice
        )
    return judged(True, 0, want, "", source=source, unit="errors")
