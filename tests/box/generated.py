"""Faults that nobody wrote down: a seed changes nvidia-smi's XML, the kernel log and sysfs field by field, and names what must be said.

Every run starts with harmless changes (`ease`), so that no check can hold on to one capture; a run without a fault must stay quiet.
"""

import random
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field

from machine import Machine, kernel_lines

FAIL, BAD, WARN = {"fail"}, {"fail", "error"}, {"warn"}
FATAL = (48, 56, 57, 58, 62, 63, 64, 65, 68, 69, 73, 74, 79, 80, 81, 92, 119, 120)
PASSING = (13, 31, 43, 45, 94, 109, 121)
PREFIXES = (
    "[{t:12.6f}] ",
    "Nov 24 10:{m:02d}:13 cube kernel: ",
    "2026-11-24T10:{m:02d}:13+0000 cube kernel: ",
)
NOISE = (
    "NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build",
    "nvidia-nvlink: Nvlink Core is being initialized, major device number 240",
    "NVRM: gpuClearFbhubPoisonIntrForBug2924523_GA100: FBHUB Interrupt detected. Clearing it.",
    "nvidia-uvm: Loaded the UVM driver, major device number 511.",
    "nvidia 0000:00:06.0: enabling device (0000 -> 0003)",
    "pcieport 0000:00:1d.0: AER: enabled with IRQ 122",
    "r8169 0000:03:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)",
    "pcieport 0000:00:1c.5: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=Transaction Layer, (Requester ID)",
    "EXT4-fs (nvme0n1p2): mounted filesystem with ordered data mode",
    "nvidia-modeset: Loading NVIDIA UNIX Open Kernel Mode Setting Driver for x86_64  580.159.04",
    "usb 1-4: new high-speed USB device number 79 using xhci_hcd",
    'audit: type=1400 pid=119 comm="apparmor_parser" name="nvidia_modprobe"',
)


@dataclass
class Sample:
    """A machine's texts, to be changed."""

    machine: Machine
    root: ET.Element
    lines: list[str]
    rng: random.Random
    module: str = "580.159.04\n"
    truncate: int | None = None
    # AER counters: (card, whether at the port above) to kind and number.
    counted: dict[tuple[int, bool], dict[str, int]] = field(default_factory=dict)

    @property
    def cards(self) -> list[ET.Element]:
        return self.root.findall("gpu")

    def card(self) -> ET.Element:
        return self.rng.choice(self.cards)

    def number(self, card: ET.Element) -> int:
        return self.cards.index(card)

    def set(self, card: ET.Element, path: str, value: str) -> None:
        e = card.find(path)
        assert e is not None, path
        for child in list(e):
            e.remove(child)
        e.text = value

    def say(self, line: str) -> None:
        prefix = self.rng.choice(PREFIXES).format(t=self.rng.uniform(5, 9e5), m=self.rng.randrange(60))
        self.lines.insert(self.rng.randrange(len(self.lines) + 1), prefix + line)

    def xml(self) -> str:
        text = '<?xml version="1.0" ?>\n' + ET.tostring(self.root, encoding="unicode")
        return text if self.truncate is None else text[: self.truncate]


Expected = dict[str, set[str]]
Mutation = Callable[[Sample], Expected | None]


def ease(s: Sample) -> None:
    """What differs from one healthy machine to the next."""
    rng, h100 = s.rng, s.machine.shape == "h100"
    vbios = f"{rng.randrange(90, 99)}.{rng.randrange(256):02X}.{rng.randrange(256):02X}.00.{rng.randrange(256):02X}"
    for card in s.cards:
        s.set(card, "temperature/gpu_temp", f"{rng.randrange(18, 60)} C")
        s.set(card, "pci/replay_counter", str(rng.choice([0, 0, 1, rng.randrange(81)])))
        s.set(card, "vbios_version", vbios)
        s.set(card, "gpu_power_readings/average_power_draw", f"{rng.uniform(8, 110):.2f} W")
        s.set(card, "fb_memory_usage/used", f"{rng.randrange(900)} MiB")
        s.set(card, "pci/tx_util", rng.choice(["0 KB/s", "1934 KB/s", "N/A"]))
        s.set(card, "serial", rng.choice(["N/A", str(rng.randrange(10**12))]))
        s.set(card, "fan_speed", "N/A" if h100 else f"{rng.choice([0, 30, rng.randrange(100)])} %")
        cap = rng.random() < 0.3
        s.set(
            card, "clocks_event_reasons/clocks_event_reason_sw_power_cap", "Active" if cap else "Not Active"
        )
        s.set(card, "clocks_event_reasons/clocks_event_reason_gpu_idle", "Not Active" if cap else "Active")
        if h100:
            s.set(card, "ecc_errors/volatile/sram_correctable", str(rng.randrange(50)))
            s.set(card, "remapped_rows/remapped_row_corr", str(rng.randrange(3)))
    for line in rng.sample(NOISE, rng.randrange(len(NOISE))):
        s.say(line)
    for card in range(s.machine.count):
        s.counted[(card, rng.random() < 0.5)] = {"correctable": rng.choice([0, 0, rng.randrange(40)])}


def at_least(path: str, unit: str, low: float, high: float, check: str) -> Mutation:
    def plant(s: Sample) -> Expected:
        s.set(s.card(), path, f"{s.rng.uniform(low, high):.0f}{unit}")
        return {check: FAIL}

    return plant


def one_of(path: str, values: list[str], check: str, verdicts: set[str] = FAIL) -> Mutation:
    def plant(s: Sample) -> Expected:
        s.set(s.card(), path, s.rng.choice(values))
        return {check: verdicts}

    return plant


def only(shape: str, mutation: Mutation) -> Mutation:
    return lambda s: mutation(s) if s.machine.shape == shape else None


def spelled(path: str, check: str) -> Mutation:
    """One character of a name or version becomes another."""

    def plant(s: Sample) -> Expected:
        card = s.card()
        text = card.findtext(path) or ""
        at = s.rng.choice([m.start() for m in re.finditer(r"[0-9A-F]", text)])
        new = s.rng.choice([c for c in "0123456789" if c != text[at]])
        s.set(card, path, text[:at] + new + text[at + 1 :])
        return {check: FAIL}

    return plant


def memory(s: Sample) -> Expected:
    sizes = [8192, 12288, 16376, 24564, 40960, 49140, 32607 + 400, 81559 - 1000, s.rng.randrange(1, 30000)]
    s.set(s.card(), "fb_memory_usage/total", f"{s.rng.choice(sizes)} MiB")
    return {"gpu_memory": FAIL}


def lost_value(s: Sample) -> Expected:
    card = s.card()
    leaves = [e for e in card.iter() if len(e) == 0 and (e.text or "").strip() not in ("", "N/A")]
    s.rng.choice(leaves).text = s.rng.choice(
        ["Unknown Error", "GPU is lost", "ERR!", "[Unknown Error]", "GPU requires reset"]
    )
    return {"gpu_recovery": FAIL}


def silent_value(s: Sample) -> Expected:
    """What a card must tell, and one card does not."""
    path, check = s.rng.choice(
        [
            ("fb_memory_usage/total", "gpu_memory"),
            ("temperature/gpu_temp", "gpu_idle_temperature"),
            ("vbios_version", "gpu_vbios_same"),
            ("bar1_memory_usage/total", "gpu_bar1"),
            ("pci/pci_gpu_link_info/link_widths/max_link_width", "gpu_pcie_max"),
            ("pci/pci_gpu_link_info/pcie_gen/current_link_gen", "gpu_pcie_link"),
            ("pci/replay_counter", "gpu_pcie_replay"),
            ("gpu_power_readings/current_power_limit", "gpu_power_limit"),
        ]
    )
    s.set(s.card(), path, s.rng.choice(["N/A", "[N/A]", "Not Supported", ""]))
    return {check: BAD}


def gone(s: Sample) -> Expected:
    count = s.rng.randrange(1, len(s.cards))
    for card in s.rng.sample(s.cards, count):
        s.root.remove(card)
    return {"gpu_count": FAIL, "gpu_on_bus": FAIL}


def cut(s: Sample) -> Expected:
    s.truncate = s.rng.randrange(len(s.xml()) - 20)
    return {"gpu_answers": FAIL, "gpu_count": FAIL}


def slowed(s: Sample) -> Expected:
    card = s.card()
    names = ["hw_slowdown", "hw_thermal_slowdown", "hw_power_brake_slowdown", "sw_thermal_slowdown"]
    for name in s.rng.sample(names, s.rng.randrange(1, 5)):
        s.set(card, f"clocks_event_reasons/clocks_event_reason_{name}", "Active")
    return {"gpu_throttle": FAIL}


def capped(s: Sample) -> Expected:
    s.set(s.card(), "gpu_power_readings/current_power_limit", f"{s.rng.uniform(100, 570):.2f} W")
    return {"gpu_power_limit": FAIL}


def corrected(s: Sample) -> Expected:
    s.counted[(s.rng.randrange(s.machine.count), s.rng.random() < 0.5)] = {
        "correctable": s.rng.randrange(81, 10**7)
    }
    return {"gpu_aer": FAIL}


def uncorrectable(s: Sample) -> Expected:
    kind = s.rng.choice(["nonfatal", "fatal"])
    s.counted[(s.rng.randrange(s.machine.count), s.rng.random() < 0.5)] = {kind: s.rng.randrange(1, 9)}
    return {"gpu_aer": FAIL}


def aer_line(s: Sample) -> Expected:
    card = s.rng.randrange(s.machine.count)
    where = s.rng.choice([f"nvidia {s.machine.bus(card)}", f"pcieport {s.machine.port(card)}"])
    severity = s.rng.choice(
        [
            "Uncorrected (Fatal)",
            "Uncorrected (Non-Fatal)",
            "Uncorrectable (Fatal)",
            "Uncorrectable (Non-Fatal)",
        ]
    )
    s.say(
        f"{where}: {s.rng.choice(['', 'AER: '])}PCIe Bus Error: severity={severity}, type=Transaction Layer, (Requester ID)"
    )
    return {"gpu_aer": FAIL}


def xid(numbers: tuple[int, ...], verdicts: set[str]) -> Mutation:
    def plant(s: Sample) -> Expected:
        bus = s.machine.bus(s.rng.randrange(s.machine.count)).rsplit(".", 1)[0]
        number = s.rng.choice(numbers)
        rest = s.rng.choice(
            ["pid=4711, name=python3, ", "pid='<unknown>', name=<unknown>, ", "", "Ch 00000008, "]
        )
        # Instances of a split card stand behind the address.
        part = s.rng.choice(["", "", " GPU-I:02"])
        s.say(f"NVRM: Xid (PCI:{bus}{part}): {number}, {rest}something happened")
        return {"gpu_xid": verdicts}

    return plant


def logged(name: str, check: str) -> Mutation:
    def plant(s: Sample) -> Expected:
        card = s.rng.randrange(s.machine.count)
        for line in kernel_lines(name, s.machine.bus(card), s.machine.port(card)).splitlines():
            s.say(line.split("] ", 1)[1])
        return {check: FAIL}

    return plant


def module(s: Sample) -> Expected:
    s.module = f"{s.rng.randrange(470, 580)}.{s.rng.randrange(200)}.{s.rng.randrange(100):02d}\n"
    return {"gpu_driver_same": FAIL}


def old(s: Sample) -> Expected:
    version = f"{s.rng.randrange(390, 570)}.{s.rng.randrange(200)}.{s.rng.randrange(100):02d}"
    for e in (s.root, *s.cards):
        s.set(e, "driver_version" if e is s.root else "gsp_firmware_version", version)
    s.module = version
    return {"gpu_driver_floor": FAIL}


ECC = "ecc_errors/"
MUTATIONS: dict[str, Mutation] = {
    "replays": at_least("pci/replay_counter", "", 81, 1e7, "gpu_pcie_replay"),
    "hot at idle": at_least("temperature/gpu_temp", " C", 61, 115, "gpu_idle_temperature"),
    "BAR 1": one_of("bar1_memory_usage/total", ["256 MiB", "64 MiB", "16384 MiB"], "gpu_bar1"),
    "link width": one_of(
        "pci/pci_gpu_link_info/link_widths/max_link_width", ["1x", "2x", "4x", "8x"], "gpu_pcie_max"
    ),
    "link generation": one_of(
        "pci/pci_gpu_link_info/pcie_gen/max_device_link_gen", ["1", "2", "3", "4"], "gpu_pcie_max"
    ),
    "another card": spelled("product_name", "gpu_name"),
    "another VBIOS": spelled("vbios_version", "gpu_vbios_same"),
    "another firmware": spelled("gsp_firmware_version", "gpu_driver_same"),
    "memory": memory,
    "a value is an error": lost_value,
    "a value is not told": silent_value,
    "cards gone": gone,
    "answer cut off": cut,
    "slowed down": slowed,
    "power limit": capped,
    "persistence": one_of("persistence_mode", ["Disabled"], "gpu_persistence"),
    "compute mode": one_of(
        "compute_mode", ["Prohibited", "Exclusive_Process", "Exclusive_Thread"], "gpu_compute_mode"
    ),
    "reset asked for": one_of(
        "gpu_recovery_action", ["Reset", "Reboot", "Drain P2P", "Drain and Reset"], "gpu_recovery"
    ),
    "memory errors": only("h100", at_least(ECC + "volatile/dram_uncorrectable", "", 1, 999, "gpu_ecc")),
    "SRAM errors": only("h100", at_least(ECC + "aggregate/sram_uncorrectable_secded", "", 1, 999, "gpu_ecc")),
    "memory errors of before": only(
        "h100", one_of(ECC + "aggregate/dram_uncorrectable", ["1", "7"], "gpu_ecc", WARN)
    ),
    "row pending": only("h100", one_of("remapped_rows/remapped_row_pending", ["Yes"], "gpu_row_remap")),
    "row failed": only("h100", one_of("remapped_rows/remapped_row_failure", ["Yes"], "gpu_row_remap")),
    "corrected PCIe errors": corrected,
    "uncorrectable PCIe errors": uncorrectable,
    "uncorrectable PCIe errors in the log": aer_line,
    "fatal Xid": xid(FATAL, FAIL),
    "Xid of programs": xid(PASSING, WARN),
    "HMM": logged("hmm", "gpu_hmm"),
    "start failed": logged("rminit", "gpu_driver_log"),
    "no window": logged("no-window", "gpu_driver_log"),
    "another module": module,
    "old driver": old,
}
# These leave nothing of the card, or of all, for a second fault to be seen on.
ALONE = {"cards gone", "answer cut off", "a value is an error"}
# One driver everywhere, where another part of it was planted before.
HIDES = {"old driver": {"another firmware", "another module"}}
