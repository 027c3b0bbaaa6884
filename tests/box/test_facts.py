"""The preflight gatherer as it is sent: as text, alone, as root and as a plain user."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
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
    "rootEncryption",
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
    "acs",
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


def test_acs_is_read_out_of_a_bridge_s_configuration() -> None:
    def config(*capabilities: tuple[int, int, int, int]) -> bytes:
        data = bytearray(4096)
        for at, kind, following, control in capabilities:
            data[at : at + 4] = (kind | 1 << 16 | following << 20).to_bytes(4, "little")
            data[at + 6 : at + 8] = control.to_bytes(2, "little")
        return bytes(data)

    control = runpy.run_path(str(SOURCE / "vcbox" / "facts.py"), run_name="facts")["acs_control"]
    assert control(config((0x100, 0x0001, 0x2A0, 0), (0x2A0, 0x000D, 0, 0b11101))) == 0b11101
    assert control(config((0x100, 0x0001, 0, 0))) is None
    # A loop in a broken device ends, and so does a configuration without the extended part.
    assert control(config((0x100, 0x0001, 0x200, 0), (0x200, 0x0002, 0x100, 0))) is None
    assert control(bytes(256)) is None


@pytest.mark.parametrize(
    ("source", "below", "said"),
    [
        ("/dev/mapper/vg-root ext4", "lvm ext4\ncrypt LVM2_member\npart crypto_LUKS\ndisk", "luks"),
        ("/dev/nvme0n1p2[/@] btrfs", "part btrfs\ndisk", "none"),
        ("overlay overlay", "", "on no device of its own"),
    ],
)
def test_what_lies_below_the_root(tmp_path: Path, source: str, below: str, said: str) -> None:
    """As findmnt and lsblk print it, whatever the order of the layers."""
    for name, text in (("findmnt", source), ("lsblk", below)):
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{text}'\n")
        (tmp_path / name).chmod(0o755)
    facts = runpy.run_path(str(SOURCE / "vcbox" / "facts.py"), run_name="facts")
    facts["ENV"]["PATH"] = f"{tmp_path}:{facts['ENV']['PATH']}"
    if not below:
        with pytest.raises(OSError, match=said):
            facts["root_encryption"]()
    else:
        assert facts["root_encryption"]() == said
