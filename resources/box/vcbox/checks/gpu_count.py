"""All GPUs of the profile are there, as the driver and as the PCI bus see them."""

from vcbox.checks import gpu_look, pci_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged

ID, TITLE, SUITE = "gpu_count", "All GPUs are detected", gpu_look.SUITE


def gather(look: Look) -> Raw:
    return {**gpu_look.gather(look), "bus": len(pci_look.cards(look))}


def judge(raw: Raw, profile: Profile) -> Result:
    want, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("count"), "value")
    if want is None:
        return gpu_look.unnamed("number of GPUs")
    on_bus = f"{raw['bus']} on the PCI bus"
    if raw["query"] is None:
        if raw["status"] == 127:
            return judged(False, f"no driver; {on_bus}", str(want), gpu_look.INSTALL, source=source)
        advice = "Look at the kernel log for NVRM; check Above 4G decoding and ReBAR in the BIOS."
        return judged(
            False,
            f"nvidia-smi does not answer; {on_bus}",
            str(want),
            advice,
            source=source,
            evidence=raw["why"],
        )
    found = len(raw["query"]["gpus"])
    advice = f"The driver sees {found}, {on_bus}: check seating, power cables, and the kernel log."
    evidence = "\n".join(f"{g['bus']} {g['name']} {g['uuid']}" for g in raw["query"]["gpus"])
    return judged(found == want, found, str(want), advice, source=source, unit="GPUs", evidence=evidence)
