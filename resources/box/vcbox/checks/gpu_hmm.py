"""Unified memory does not stumble over HMM, which on some kernels with KASLR keeps CUDA from starting at all."""

from vcbox.checks import gpu_look, kernel_look
from vcbox.checks.base import Profile, Raw, Result, judged
from vcbox.parsers.kernel_log import parse_hmm

ID, TITLE, SUITE = "gpu_hmm", "No HMM failure in the kernel log", gpu_look.SUITE
gather = kernel_look.gather
SOURCE = "CUDA release notes, known issues: HMM with KASLR; pytorch/pytorch#159207"


def judge(raw: Raw, profile: Profile) -> Result:
    advice = 'Set "options nvidia_uvm uvm_disable_hmm=1" (layer 2 does) and reboot.'
    lines = parse_hmm(raw["log"] or "")
    if lines:
        value = f"{len(lines)} lines: {lines[-1]}"[:300]
        return judged(False, value, "none", advice, source=SOURCE, evidence="\n".join(lines))
    if stop := gpu_look.blocked(raw) or kernel_look.unread(raw):
        return stop
    mirrored = [bus for bus, mode in gpu_look.each(raw, "addressing") if mode == "HMM"]
    if mirrored:
        value = f"HMM is on: {', '.join(mirrored)}"
        return Result("warn", value, threshold="no HMM", source=SOURCE, next=advice)
    return judged(True, "none", "none", "", source=SOURCE)
