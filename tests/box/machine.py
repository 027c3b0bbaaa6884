"""A machine with GPUs for suite T1, in a folder: the fault-injecting stand-in for nvidia-smi, a kernel log, a tree of sysfs.

`h100` is the recorded machine under the profile two-h100. `h200` answers what another card was recorded with, under the same numbers
but for its name, memory and count. `cube` has four cards that are copies of the recorded ones, edited to what
is known of an RTX 5090, under the profile vault-cube: no capture of that card is at hand.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from vcbox import checks
from vcbox.checks import link_look
from vcbox.checks.base import Look, run_check

from harness import FIXTURES, REPO

STAND_IN = REPO / "tests" / "rig" / "standin" / "nvidia_smi.py"
RECORDED = FIXTURES / "nvidia-smi-2xh100"
KERNEL_LOG = FIXTURES / "kernel-log"
SUITE = checks.SUITES["gpu-detection"]
ECC = [
    f"ecc_errors/{span}/{name}"
    for span in ("volatile", "aggregate")
    for name in (
        "sram_correctable",
        "sram_uncorrectable_parity",
        "sram_uncorrectable_secded",
        "dram_correctable",
        "dram_uncorrectable",
    )
]
# Every card of the cube: element of nvidia-smi's XML and its text.
CUBE_XML = {
    "product_name": "NVIDIA GeForce RTX 5090",
    "product_brand": "GeForce",
    "product_architecture": "Blackwell",
    "vbios_version": "98.02.2E.00.AF",
    "fb_memory_usage/total": "32607 MiB",
    "bar1_memory_usage/total": "32768 MiB",
    "fan_speed": "0 %",
    "pci/replay_counter": "0",
    "ecc_mode/current_ecc": "N/A",
    "ecc_mode/pending_ecc": "N/A",
    "remapped_rows": "N/A",
    "ecc_errors/unrepairable_memory": "N/A",
    "ecc_errors/channel_repair_pending": "N/A",
    "ecc_errors/tpc_repair_pending": "N/A",
    "ecc_errors/aggregate/sram_threshold_exceeded": "N/A",
    "mig_mode/current_mig": "N/A",
    "gpu_power_readings/current_power_limit": "575.00 W",
    "gpu_power_readings/requested_power_limit": "575.00 W",
    "gpu_power_readings/default_power_limit": "575.00 W",
    "gpu_power_readings/max_power_limit": "600.00 W",
    "gpu_power_readings/average_power_draw": "14.20 W",
    "temperature/memory_temp": "N/A",
    **dict.fromkeys(ECC, "N/A"),
}
CUBE_QUERY = {
    "memory.total": "32607",
    "power.limit": "575.00",
    "fan.speed": "45",
    "temperature.memory": "[N/A]",
    "ecc.errors.uncorrected.volatile.total": "[N/A]",
}
SMART = {
    "smart_status": {"passed": True},
    "nvme_smart_health_information_log": {
        "critical_warning": 0,
        "available_spare": 100,
        "available_spare_threshold": 10,
        "percentage_used": 1,
        "media_errors": 0,
    },
}
# Of a bridge: its identity, and a PCIe capability of access control at 0x100, with its control word at 0x106.
ACS_AT, CONFIG_BYTES = 0x100, 0x110


def profile(name: str) -> dict[str, Any]:
    return json.loads((REPO / "resources" / "profiles" / f"{name}.json").read_text())


def kernel_lines(name: str, bus: str = "0000:00:07.0", port: str = "0000:00:01.1", n: int = 1) -> str:
    text = (KERNEL_LOG / f"{name}.txt").read_text()
    for word, value in {"bus": bus, "short": bus.rsplit(".", 1)[0], "port": port, "n": str(n)}.items():
        text = text.replace(f"{{{word}}}", value)
    return text


class PlantedLook(Look):
    """Looks at the machine in the folder: its programs are the stand-in, its log and what smartctl would say."""

    machine: "Machine"

    def run(self, argv: tuple[str, ...], timeout: float) -> tuple[int, str, str]:
        return self.machine.run(argv, timeout)


class Machine:
    def __init__(self, folder: Path, shape: str) -> None:
        self.folder = folder
        self.shape = shape
        self.count = {"cube": 4, "h200": 1}.get(shape, 2)
        self.profile = profile("vault-cube" if shape == "cube" else "two-h100")
        # An answer that was recorded, in place of the stand-in's.
        self.answer: str | None = None
        self.edits: dict[str, Any] = {"cards": self.count, "xml": [], "query": []}
        self.log: str | None = kernel_lines("healthy")
        self.smart: Any = SMART
        # How long nvidia-smi may take, here: nobody waits a minute for one that hangs.
        self.patience: float | None = None
        # Whether data can be sent to the cards, by a program that stands for linkload.py; there is no CUDA here.
        self.link_load = False
        if shape == "cube":
            self.edits["xml"] = [{"card": None, "path": p, "value": v} for p, v in CUBE_XML.items()]
            self.edits["query"] = [{"card": None, "field": f, "value": v} for f, v in CUBE_QUERY.items()]
        if shape == "h200":
            self.answer = (FIXTURES / "nvidia-smi-1xh200" / "q-idle.xml").read_text()
            gpu = self.profile["gpu"]
            gpu["count"]["value"], gpu["name"]["value"], gpu["memoryMiB"]["value"] = 1, "NVIDIA H200", 143771
        self.build()

    def bus(self, card: int) -> str:
        return f"0000:00:{6 + card:02x}.0"

    def port(self, card: int) -> str:
        return f"0000:00:01.{card}"

    def device(self, card: int) -> Path:
        return self.folder / "sys/devices/pci0000:00" / self.port(card) / self.bus(card)

    def put(self, path: str, text: str | bytes) -> None:
        file = self.folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)

    def build(self) -> None:
        """Cards below a port each, as the kernel shows them (Documentation/ABI/testing/sysfs-bus-pci)."""
        devices = self.folder / "sys/bus/pci/devices"
        devices.mkdir(parents=True)
        for card in range(self.count):
            folder = self.device(card)
            self.fill(folder, "0x10de", "0x030000", b"\xde\x10\x85\x2b" + bytes(60))
            self.fill(folder.parent, "0x1022", "0x060400", b"\x22\x10\xab\x14" + bytes(CONFIG_BYTES - 4))
            for part in (folder, folder.parent):
                (devices / part.name).symlink_to(os.path.relpath(part, devices))
                self.count_errors(part)
            self.redirect(card, 0x11)
        self.put("/proc/cmdline", "BOOT_IMAGE=/vmlinuz root=UUID=1 ro iommu=pt quiet\n")
        for group in range(3):
            self.put(f"/sys/kernel/iommu_groups/{group}/type", "identity\n")
        self.put("/sys/class/nvme/nvme0/state", "live\n")
        self.put("/sys/module/nvidia/version", "580.159.04\n")

    def fill(self, folder: Path, vendor: str, kind: str, config: bytes) -> None:
        for name, text in {"vendor": f"{vendor}\n", "class": f"{kind}\n", "config": config}.items():
            self.put(str((folder / name).relative_to(self.folder)), text)

    def count_errors(self, folder: Path, **counts: int) -> None:
        """AER counters of a device: `correctable`, `nonfatal`, `fatal`."""
        names = {
            "correctable": ("BadTLP", "COR"),
            "nonfatal": ("CmpltTO", "NONFATAL"),
            "fatal": ("DLP", "FATAL"),
        }
        for kind, (error, total) in names.items():
            n = counts.get(kind, 0)
            path = (folder / f"aer_dev_{kind}").relative_to(self.folder)
            self.put(str(path), f"{error} {n}\nOther 0\nTOTAL_ERR_{total} {n}\n")

    def redirect(self, card: int, control: int) -> None:
        """Writes the control word of the port's access control."""
        config = bytearray((self.device(card).parent / "config").read_bytes())
        config[ACS_AT : ACS_AT + 8] = (
            (0x0001000D).to_bytes(4, "little") + bytes(2) + control.to_bytes(2, "little")
        )
        (self.device(card).parent / "config").write_bytes(bytes(config))

    def xml(self, card: int | None, path: str, value: str) -> None:
        self.edits["xml"].append({"card": card, "path": path, "value": value})

    def query(self, card: int | None, field: str, value: str, since: int = 0) -> None:
        self.edits["query"].append({"card": card, "field": field, "value": value, "from": since})

    def say(self, name: str, card: int = 1, **more: int) -> None:
        """Lines of the kernel log about a card."""
        assert self.log is not None
        self.log += kernel_lines(name, self.bus(card), self.port(card), **more)

    def environment(self) -> dict[str, str]:
        edits = self.folder / "edits.json"
        edits.write_text(json.dumps(self.edits))
        paths = {"STAND_IN_DATA": RECORDED, "STAND_IN_SWITCH": self.folder / "no-switch"}
        paths |= {"STAND_IN_HELD": self.folder, "STAND_IN_EDITS": edits}
        return {**os.environ, "LC_ALL": "C.UTF-8", **{k: str(v) for k, v in paths.items()}}

    def run(self, argv: tuple[str, ...], timeout: float) -> tuple[int, str, str]:
        name = argv[0]
        if name == "nvidia-smi" and self.answer is not None:
            # Of a moment that was now when it was recorded.
            return 0, re.sub("<timestamp>.*</timestamp>", "", self.answer), ""
        if name == "nvidia-smi":
            timeout = self.patience or timeout
            try:
                done = subprocess.run(
                    [sys.executable, str(STAND_IN), *argv[1:]],
                    env=self.environment(),
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=timeout,
                )
            except subprocess.TimeoutExpired:
                return 124, "", f"nvidia-smi did not answer within {timeout:.0f} s"
            return done.returncode, done.stdout, done.stderr
        if name == "journalctl" and self.log is not None:
            return 0, self.log, ""
        if name == "dmesg":
            return 1, "", "dmesg: read kernel buffer failed: Operation not permitted"
        if name == "smartctl" and self.smart is not None:
            return 0, json.dumps(self.smart), ""
        return 127, "", f"{name}: No such file or directory"

    def verdicts(self) -> dict[str, dict[str, Any]]:
        """Each check of the suite, really gathered and judged."""
        look = PlantedLook(root=str(self.folder))
        look.machine = self
        load = [
            "sh",
            "-c",
            "echo copying; exec sleep 60" if self.link_load else "echo no CUDA here >&2; exit 3",
        ]
        with mock.patch.object(link_look, "load_command", lambda: load):
            return self.judged(look)

    def judged(self, look: Look) -> dict[str, dict[str, Any]]:
        found = {}
        for id in SUITE:
            module = checks.load(id)
            assert module
            found[id] = run_check(module, look, self.profile)
        return found
