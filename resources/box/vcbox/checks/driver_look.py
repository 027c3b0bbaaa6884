"""What the checks of layers 2 and 3 look at in common: packages, kernels, floors of the profile. Not a check itself."""

import re
from typing import Any

from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, not_supported, said
from vcbox.checks.gpu_look import gpu_profile
from vcbox.parsers.packages import QUERY, Package, kernels_of, parse_packages
from vcbox.parsers.system import at_least

LAYER = 2
AGAIN = "Run layer 2 again."
NO_KERNEL = "a container has no kernel of its own: the one that runs is its host's"


def packages(look: Look) -> Raw:
    return look.command(*QUERY)


def in_container(look: Look) -> bool:
    return look.command("systemd-detect-virt", "--container")["status"] == 0


def kernels(look: Look) -> list[str]:
    """Every kernel that the box can boot: those of its packages, and the running one, which in a container is the host's."""
    found = kernels_of(parse_packages(packages(look)["out"]))
    running = look.command("uname", "-r")["out"].strip()
    return found if in_container(look) or running in found else [*found, running]


def module_field(look: Look, kernel: str, field: str) -> str | None:
    """A field of the NVIDIA module's file for a kernel; None where there is no such file."""
    raw = look.command("modinfo", "-k", kernel, "-F", field, "nvidia")
    return raw["out"].strip() if raw["status"] == 0 else None


def loaded(look: Look) -> dict[str, str | None]:
    """The NVIDIA module that the running kernel has loaded: `version`, and `told`, the driver's own line on itself."""
    lines = (look.read("/proc/driver/nvidia/version") or "").splitlines()
    told = next((line for line in lines if "Kernel Module" in line), None)
    match = re.search(r"\s(\d+\.\d[\d.]*)\s", told or "")
    version = (look.read("/sys/module/nvidia/version") or "").strip() or (match[1] if match else None)
    return {"version": version, "told": told}


def component(profile: Profile, id: str) -> dict[str, Any]:
    """What the profile says of a part of the software; empty where it says nothing."""
    found = profile.get("software")
    parts = found if isinstance(found, list) else []
    return next((c for c in parts if isinstance(c, dict) and c.get("id") == id), {})


def floors(profile: Profile, id: str) -> list[dict[str, Any]]:
    found = list(component(profile, id).get("floors") or [])
    floor = gpu_profile(profile).get("driverFloor")
    if id == "driver" and floor:
        found.append(floor if isinstance(floor, dict) else {"version": floor, "source": None})
    return found


def judge_version(profile: Profile, id: str, found: str, next: str, evidence: str | None = None) -> Result:
    """pass or fail by the profile's floors for this part and its versions that are known to be broken."""
    wanted = floors(profile, id)
    if not wanted:
        return not_supported(f"the profile names no version of {id}", value=found, evidence=evidence)
    # The ones that are not reached, else the highest one.
    missed = [f for f in wanted if not at_least(found, f["version"])]
    broken = [b for b in component(profile, id).get("broken") or [] if b.get("version") == found]
    decisive = (missed or [f for f in wanted if all(at_least(f["version"], g["version"]) for g in wanted)])[0]
    value = f"{found}: {broken[0]['why']}" if broken else found
    source = (broken[0] if broken else decisive).get("source")
    threshold = f"{decisive['version']} or newer"
    return judged(not missed and not broken, value, threshold, next, source=source, evidence=evidence)


def package_version(raw: Raw, profile: Profile, id: str, name: str) -> Result:
    """Judges a part that is a package, by the package that dpkg has under a name like `name`."""
    if raw["status"]:
        return error(f"dpkg-query: {said(raw)}", "Repair dpkg: dpkg --configure -a.")
    there: list[Package] = [p for p in parse_packages(raw["out"]) if re.fullmatch(name, p.name)]
    evidence = "\n".join(f"{p.name} {p.version}" for p in there)
    if not there:
        wanted = floors(profile, id)
        threshold = f"{wanted[0]['version']} or newer" if wanted else "installed"
        return judged(False, "not installed", threshold, AGAIN)
    return judge_version(profile, id, there[0].upstream, AGAIN, evidence)
