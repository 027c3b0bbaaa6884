"""The driver sees every GPU of the profile."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, LAYER = "l2_gpu_count", "The driver sees every GPU", 2
gather = gpu_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    want, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("count"), "value")
    if want is None:
        return gpu_look.unnamed("number of GPUs")
    found = len(raw["query"]["gpus"]) if raw["query"] else 0
    evidence = (
        "\n".join(f"{g['bus']} {g['name']} {g['uuid']}" for g in raw["query"]["gpus"])
        if raw["query"]
        else None
    )
    advice = "Check seating and power cables, Above 4G decoding in the BIOS, and `dmesg | grep NVRM`; then run layer 2 again."
    return judged(found == want, found, str(want), advice, source=source, unit="GPUs", evidence=evidence)
