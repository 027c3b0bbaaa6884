"""vLLM runs on CUDA, and the PyTorch beside it sees every GPU and has kernels for it."""

from vcbox.checks import frameworks_gpus, frameworks_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged

ID, TITLE, LAYER = "l4_vllm_gpus", "vLLM sees the GPUs", 4


def gather(look: Look) -> Raw:
    return frameworks_gpus.gather(look, "vllm")


def judge(raw: Raw, profile: Profile) -> Result:
    found = frameworks_gpus.judge(raw, profile, "vLLM's PyTorch")
    if found.verdict != "pass":
        return found
    if stop := frameworks_look.untold(raw["probe"], "platform", "vLLM"):
        return stop
    if not raw["probe"]["told"].get("onCuda"):
        return judged(False, "vLLM does not take the platform for CUDA", "CUDA", frameworks_gpus.ADVICE)
    return found
