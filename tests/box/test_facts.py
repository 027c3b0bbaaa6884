"""The preflight gatherer as it is sent: as text, alone, as root and as a plain user."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from conftest import SOURCE

TEXT = (SOURCE / "vcbox" / "facts.py").read_text()
KEYS = [
    "v",
    "root",
    "cpu",
    "memory",
    "board",
    "bios",
    "disks",
    "filesystems",
    "gpus",
    "nvidiaSmi",
    "kernel",
    "distribution",
    "arch",
    "python",
    "virtualization",
    "bootId",
    "machineId",
    "hostname",
    "clock",
    "secureBoot",
    "iommu",
    "network",
    "users",
    "uid1000",
    "sudo",
    "systemd",
    "sshPorts",
    "dpkg",
    "nouveau",
    "nvidiaModule",
    "evidence",
    "unreadable",
]


def gather(**how: Any) -> dict[str, Any]:
    done = subprocess.run(
        ["/usr/bin/python3", "-I", "-c", TEXT], capture_output=True, timeout=60, check=True, **how
    )
    assert done.stderr == b""
    return json.loads(done.stdout)


def check_shape(facts: dict[str, Any]) -> None:
    assert set(KEYS) <= set(facts)
    assert facts["cpu"]["threads"] == os.cpu_count() and facts["cpu"]["cores"] <= facts["cpu"]["threads"]
    assert facts["memory"]["bytes"] > 2**20 and facts["filesystems"]["rootBytes"] > 0
    assert all(isinstance(reason, str) and reason for reason in facts["unreadable"].values())
    assert all({"name", "bytes", "serial", "mountpoints"} <= set(d) for d in facts["disks"] or [])
    assert abs(facts["clock"]["epoch"] - __import__("time").time()) < 60


def test_as_this_user() -> None:
    facts = gather()
    check_shape(facts)
    assert facts["root"] is (os.geteuid() == 0)


def test_as_a_plain_user() -> None:
    if os.geteuid() != 0:
        pytest.skip("changing the user needs root")
    facts = gather(user=65534, group=65534, cwd="/")
    check_shape(facts)
    assert facts["root"] is False


def test_a_tool_that_is_missing_is_named() -> None:
    facts = gather()
    if facts["nvidiaSmi"] is None:
        assert "nvidia-smi" in facts["unreadable"]["nvidiaSmi"]
    assert sys.version_info >= (3, 11)
