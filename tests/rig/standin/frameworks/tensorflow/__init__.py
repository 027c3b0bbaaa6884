"""Stand-in for TensorFlow: tells its version and the cards that the stand-in nvidia-smi tells of. It computes nothing."""

import subprocess

STAND_IN = True
__version__ = "@VERSION@"


class sysconfig:
    @staticmethod
    def get_build_info() -> dict[str, object]:
        """As the real one told it (tests/fixtures/frameworks)."""
        archs = ["sm_60", "sm_70", "sm_80", "sm_89", "compute_90"]
        return {"cuda_version": "12.5.1", "cuda_compute_capabilities": archs}


def _capabilities() -> list[str]:
    query = ["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"]
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    return done.stdout.split() if done.returncode == 0 else []


class config:
    @staticmethod
    def list_physical_devices(kind: str) -> list[str]:
        return _capabilities() if kind == "GPU" else []

    class experimental:
        @staticmethod
        def get_device_details(device: str) -> dict[str, object]:
            major, _, minor = device.partition(".")
            return {"compute_capability": (int(major), int(minor))}
