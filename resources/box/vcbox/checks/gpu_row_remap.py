"""No row of a card's memory waits to be replaced, and none could not be."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged
from vcbox.xids import RMA

ID, TITLE, SUITE = "gpu_row_remap", "Memory rows: none to be replaced", gpu_look.SUITE
gather = gpu_look.gather
SOURCE = "Azure/azurehpc-health-checks, azure_gpu_ecc.nhc: a remap that is pending or failed fails"


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := gpu_look.blocked(raw):
        return stop
    pairs = gpu_look.each(raw, "remap")
    if stop := gpu_look.untold(pairs, "the cards do not replace rows", "the state of its rows"):
        return stop
    failed = [(bus, "a row could not be replaced") for bus, r in pairs if r["failed"]]
    pending = [(bus, "a row waits to be replaced") for bus, r in pairs if r["pending"]]
    advice = RMA if failed else "Reset the card or reboot, which replaces the row, then run the suite again."
    evidence = "\n".join(
        f"{bus}: {r['uncorrectable']} rows replaced for uncorrectable errors, {r['correctable']} for correctable ones"
        for bus, r in pairs
    )
    value = gpu_look.where(failed + pending) or "none"
    return judged(not failed + pending, value, "none", advice, source=SOURCE, evidence=evidence)
