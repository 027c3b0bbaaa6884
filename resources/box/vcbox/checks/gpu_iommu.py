"""What cards write to each other arrives: the IOMMU is off or passes addresses through."""

import re

from vcbox.checks import gpu_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_run

ID, TITLE, SUITE = "gpu_iommu", "IOMMU", gpu_look.SUITE
GROUPS = "/sys/kernel/iommu_groups"
FLAG = re.compile(r"(iommu|amd_iommu|intel_iommu|pcie_acs|pci=)")


def gather(look: Look) -> Raw:
    groups = look.names(GROUPS)
    types = {(look.read(f"{GROUPS}/{g}/type") or "unknown").strip() for g in groups}
    words = (look.read("/proc/cmdline") or "").split()
    return {
        "groups": len(groups),
        "types": sorted(types),
        "cmdline": " ".join(w for w in words if FLAG.match(w)),
    }


def judge(raw: Raw, profile: Profile) -> Result:
    want, source = gpu_look.threshold((profile.get("bios") or {}).get("iommu"), "value")
    if want is None:
        return gpu_look.unnamed("state of the IOMMU")
    told = f"{raw['groups']} groups of type {', '.join(raw['types'])}" if raw["groups"] else "off"
    if want == "any":
        return judged(True, told, "any", "", source=source)
    if "unknown" in raw["types"]:
        return not_run("the kernel does not tell how the IOMMU translates", "Run as root on the box itself.")
    good = all(kind == "identity" for kind in raw["types"])
    advice = 'Switch the IOMMU off in the BIOS, or add "iommu=pt" to the kernel command line, and boot again.'
    evidence = f"kernel command line: {raw['cmdline'] or 'nothing about it'}"
    return judged(good, told, "off, or passing addresses through", advice, source=source, evidence=evidence)
