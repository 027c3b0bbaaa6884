"""The administrator imports vLLM."""

from vcbox.checks import frameworks_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, LAYER = "l4_vllm_import", "vLLM imports", 4


def gather(look: Look) -> Raw:
    return frameworks_look.probe(look, "vllm")


def judge(raw: Raw, profile: Profile) -> Result:
    return frameworks_look.judge_import(raw, "vLLM", ("vllm", "torch"))
