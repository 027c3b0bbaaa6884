"""One version in all parts of the driver: packages, nvidia-smi, NVML, the module's file and the loaded module."""

import re

from vcbox.checks import driver_look, gpu_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged
from vcbox.parsers.packages import parse_packages

ID, TITLE, LAYER = "l2_driver_versions", "One driver version everywhere", 2
# Packages whose version is the driver's, on Debian and on Ubuntu.
OF_DRIVER = re.compile(
    r"libnvidia-ml1|nvidia-driver-cuda|nvidia-kernel-open-dkms"
    r"|libnvidia-compute-\d+(-server)?|nvidia-utils-\d+(-server)?|nvidia-dkms-\d+(-server)?-open"
)
TABLE = re.compile(r"NVIDIA-SMI (\S+)\s.*?(?:Driver|KMD) Version: (\S+)")


def gather(look: Look) -> Raw:
    modules = {
        kernel: driver_look.module_field(look, kernel, "version") for kernel in driver_look.kernels(look)
    }
    return {
        "query": gpu_look.gather(look),
        "table": look.command("nvidia-smi", timeout=60),
        "packages": driver_look.packages(look),
        "modules": modules,
        "loaded": driver_look.loaded(look)["version"],
    }


def judge(raw: Raw, profile: Profile) -> Result:
    found = {
        p.name: p.upstream for p in parse_packages(raw["packages"]["out"]) if OF_DRIVER.fullmatch(p.name)
    }
    if not found:
        return judged(False, "no package of a driver is installed", "one version", "Run layer 2.")
    if raw["query"]["query"]:
        found["NVML"] = raw["query"]["query"]["driver"] or "unknown"
    if table := TABLE.search(raw["table"]["out"]):
        found |= {"nvidia-smi": table[1], "driver in use": table[2]}
    found |= {f"module for {kernel}": version for kernel, version in raw["modules"].items() if version}
    if raw["loaded"]:
        found["loaded module"] = raw["loaded"]
    versions = set(found.values())
    evidence = "\n".join(f"{name}: {version}" for name, version in found.items())
    value = versions.pop() if len(versions) == 1 else ", ".join(f"{k}: {v}" for k, v in found.items())
    advice = "A reboot is due, or two versions are mixed: reboot, then run layer 2 again."
    return judged(not versions, value, "one version", advice, evidence=evidence)
