"""The cards, as nvidia-smi lists them now."""

import subprocess

from torch.cuda import nccl

__all__ = ["device_count", "get_arch_list", "get_device_capability", "is_available", "nccl"]


def capabilities() -> list[str]:
    query = ["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"]
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    return done.stdout.split() if done.returncode == 0 else []


def device_count() -> int:
    return len(capabilities())


def is_available() -> bool:
    return device_count() > 0


def get_device_capability(device: int) -> tuple[int, int]:
    major, _, minor = capabilities()[device].partition(".")
    return int(major), int(minor)


def get_arch_list() -> list[str]:
    """As the real one of this version told it on two H100 (tests/fixtures/frameworks)."""
    return ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"] if is_available() else []
