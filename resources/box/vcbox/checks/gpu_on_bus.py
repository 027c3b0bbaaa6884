"""The driver has every card that the PCI bus shows, and each of them still answers there."""

from vcbox.checks import gpu_look, pci_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_run
from vcbox.parsers.pci import address

ID, TITLE, SUITE = "gpu_on_bus", "Every card on the bus is with the driver", gpu_look.SUITE


def gather(look: Look) -> Raw:
    return {**gpu_look.gather(look), "cards": pci_look.cards(look)}


def judge(raw: Raw, profile: Profile) -> Result:
    cards = raw["cards"]
    gone = [c["address"] for c in cards if c["gone"]]
    if gone:
        value = f"no longer answers: {', '.join(gone)}"
        advice = "The card fell off the bus: switch the box off, reseat the card and its power cable, and give the box a circuit of its own."
        return judged(False, value, "all answer", advice)
    if raw["status"] == 127:
        return not_run("no NVIDIA driver is installed: nvidia-smi is missing", gpu_look.INSTALL)
    if not cards:
        return not_run("the PCI bus shows no NVIDIA card to compare with", "Run it on the box itself.")
    driven = {address(g["bus"] or "") for g in raw["query"]["gpus"]} if raw["query"] else set()
    missing = [c["address"] for c in cards if c["address"] not in driven]
    value = f"without the driver: {', '.join(missing)}" if missing else f"all {len(cards)}"
    advice = (
        "Look at the kernel log for NVRM lines of that address; reboot; if it stays, reseat the card and its power cable, and try "
        "another slot."
    )
    return judged(not missing, value, f"all {len(cards)} of the bus", advice)
