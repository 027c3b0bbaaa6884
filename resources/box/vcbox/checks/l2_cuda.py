"""The CUDA compiler answers, and is new enough for the cards."""

import re

from vcbox.checks import driver_look
from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, said

ID, TITLE, LAYER = "l2_cuda", "CUDA toolkit", 2


def gather(look: Look) -> Raw:
    return look.command("/usr/local/cuda/bin/nvcc", "--version")


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["status"]:
        return judged(False, said(raw), "nvcc answers", driver_look.AGAIN)
    version = re.search(r"release [\d.]+, V(\d[\d.]*)", raw["out"])
    if not version:
        return error("nvcc --version tells no version", driver_look.AGAIN, evidence=raw["out"])
    return driver_look.judge_version(profile, "cuda", version[1], driver_look.AGAIN, raw["out"])
