"""Whether a framework sees the GPUs that nvidia-smi and the profile name. Not a check itself."""

from vcbox.checks import frameworks_look, gpu_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_supported
from vcbox.parsers.lock import covers

ADVICE = "Compare nvidia-smi's list; run layer 2 again if it is short, else layer 4."


def gather(look: Look, name: str) -> Raw:
    return {"probe": frameworks_look.probe(look, name), "smi": gpu_look.gather(look)}


def judge(raw: Raw, profile: Profile, name: str, *, stock: bool = False) -> Result:
    """`stock`: a build without kernels for the card is a fact of the framework's wheels and not a fault of this box."""
    gpu = gpu_look.gpu_profile(profile)
    count, source = gpu_look.threshold(gpu.get("count"), "value")
    capability, _ = gpu_look.threshold(gpu.get("computeCapability"), "value")
    if stop := gpu_look.blocked(raw["smi"]):
        return stop
    if stop := frameworks_look.silent(raw["probe"], name):
        return stop
    if count is None or capability is None:
        return gpu_look.unnamed("number and compute capability of GPUs")
    if stop := frameworks_look.untold(raw["probe"], "gpus", name):
        return stop
    told = raw["probe"]["told"]
    found, archs = told.get("gpus") or [], told.get("archs") or []
    kernels = f"kernels for {', '.join(archs) or 'none'}"
    value = f"{len(found)} of {count}" + (
        f", compute capability {', '.join(sorted({str(c) for c in found}))}" if found else ""
    )
    if not covers(archs, capability):
        reason = f"{name} has {kernels}; the card's compute capability is {capability}"
        if stock:
            return not_supported(reason, value=value, threshold=f"kernels for {capability}", source=source)
        return judged(False, f"{value}; {reason}", f"kernels for {capability}", frameworks_look.AGAIN)
    good = len(found) == count and all(c == capability for c in found)
    want = f"{count} of compute capability {capability}"
    return judged(good, value, want, ADVICE, source=source, evidence=kernels)
