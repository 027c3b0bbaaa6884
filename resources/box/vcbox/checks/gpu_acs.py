"""Bridges let the cards talk to each other directly: access control (ACS) sends nothing up to the root."""

from vcbox.checks import gpu_look, pci_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_run
from vcbox.facts import acs_control

ID, TITLE, SUITE = "gpu_acs", "PCIe access control between cards", gpu_look.SUITE
# The kernel shows other users this much of a configuration.
PUBLIC_BYTES = 64
REDIRECT = 0b1100


def gather(look: Look) -> Raw:
    bridges = pci_look.bridges(look)
    hidden = [a for a, config in bridges if config is None or len(config) <= PUBLIC_BYTES]
    controls = {a: acs_control(config) for a, config in bridges if config and a not in hidden}
    return {"bridges": len(bridges), "hidden": hidden, "controls": controls}


def judge(raw: Raw, profile: Profile) -> Result:
    allowed, source = gpu_look.threshold((profile.get("bios") or {}).get("acsRedirect"), "value")
    if allowed is None:
        return gpu_look.unnamed("state of PCIe access control")
    redirecting = sorted(a for a, control in raw["controls"].items() if control and control & REDIRECT)
    value = f"redirecting: {', '.join(redirecting)}" if redirecting else f"none of {raw['bridges']} bridges"
    want = "any" if allowed else "no bridge redirects"
    if not redirecting and raw["hidden"]:
        return not_run("only root may read the bridges' configuration", "Run as root on the box itself.")
    advice = "Switch ACS off in the BIOS; what cards write to each other can vanish otherwise."
    return judged(bool(allowed) or not redirecting, value[:300], want, advice, source=source)
