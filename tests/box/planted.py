"""Faults planted into a machine (machine.py), each with the check of suite T1 that has to name it, and into windows of telemetry."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from machine import Machine

Plant = Callable[[Machine], object]


@dataclass(frozen=True)
class Fault:
    name: str
    plant: Plant
    # The check that names it, a word of its value or reason, and the verdict.
    check: str
    word: str
    verdict: str = "fail"
    # On which machines it can be planted.
    shapes: Sequence[str] = field(default=("h100", "cube"))


def xml(path: str, value: str, card: int | None = 1) -> Plant:
    return lambda m: m.xml(card, path, value)


def say(*names: str) -> Plant:
    return lambda m: [m.say(name) for name in names]


def end(text: str, code: int) -> Plant:
    return lambda m: m.edits.update(end={"after": 0, "text": text, "code": code})


def hang(m: Machine) -> None:
    m.edits["hang"] = True
    m.patience = 1.0


def stale(m: Machine) -> None:
    m.edits["stale"] = True


def storm(m: Machine) -> None:
    for n in range(81):
        m.say("aer-corrected", n=900 + n)


def fell(m: Machine) -> None:
    """The kernel still lists the card, reads of it give ones, the driver goes on without it."""
    (m.device(1) / "config").write_bytes(b"\xff" * 64)
    m.edits["cards"] = m.count - 1


def missing(m: Machine) -> None:
    """The card never showed up: neither the bus nor the driver has it."""
    (m.folder / "sys/bus/pci/devices" / m.bus(m.count - 1)).unlink()
    m.edits["cards"] = m.count - 1


def undriven(m: Machine) -> None:
    m.edits["cards"] = m.count - 1
    m.say("rminit", m.count - 1)


def smart(**change: Any) -> Plant:
    def plant(m: Machine) -> None:
        log = m.smart["nvme_smart_health_information_log"]
        m.smart = {**m.smart, "nvme_smart_health_information_log": {**log, **change}}

    return plant


def reasons(*names: str) -> Plant:
    return lambda m: [m.xml(1, f"clocks_event_reasons/clocks_event_reason_{n}", "Active") for n in names]


def resting(gen: str, width: str) -> Plant:
    """Links at Gen1 as at idle, and what the second card's is once data goes over it."""

    def plant(m: Machine) -> None:
        m.xml(None, LINK + "pcie_gen/current_link_gen", "1")
        m.query(1, "pcie.link.gen.current", gen)
        m.query(1, "pcie.link.width.current", width)
        m.link_load = True

    return plant


LINK = "pci/pci_gpu_link_info/"
REMAP = "remapped_rows/remapped_row_"
BUSY = "utilization/gpu_util"
ONLY_H100, ONLY_CUBE = ("h100",), ("cube",)
FAULTS: list[Fault] = [
    Fault("missing GPU", missing, "gpu_count", ""),
    Fault("GPU fell off the bus", fell, "gpu_on_bus", "no longer answers: 0000:00:07.0"),
    Fault("GPU the driver could not start", undriven, "gpu_on_bus", "without the driver"),
    Fault("GPU the driver could not start, in the log", undriven, "gpu_driver_log", "could not start"),
    Fault(
        "GPU lost: nvidia-smi says so",
        end("Unable to determine the device handle for GPU0: GPU is lost", 15),
        "gpu_answers",
        "lost",
    ),
    Fault(
        "GPU lost: its values are errors",
        xml("temperature/gpu_temp", "GPU is lost"),
        "gpu_recovery",
        "gpu_temp",
    ),
    Fault("GPU that asks for a reset", xml("gpu_recovery_action", "Reset"), "gpu_recovery", "asks for Reset"),
    Fault(
        "x8 link: the slot has eight lanes",
        xml(LINK + "link_widths/max_link_width", "8x"),
        "gpu_pcie_max",
        "Gen5 x8",
    ),
    Fault("Gen4 card", xml(LINK + "pcie_gen/max_device_link_gen", "4"), "gpu_pcie_max", "Gen4 x16"),
    Fault("24 GB card", xml("fb_memory_usage/total", "24564 MiB"), "gpu_memory", "24564"),
    Fault("wrong model", xml("product_name", "NVIDIA GeForce RTX 4090"), "gpu_name", "4090"),
    Fault("hot idle", xml("temperature/gpu_temp", "61 C"), "gpu_idle_temperature", "61"),
    Fault("Xid 79", say("xid-79"), "gpu_xid", "Xid 79 on 0000:00:07: the card has fallen off the bus"),
    Fault("Xid 79 without its number", say("fallen"), "gpu_xid", "Xid 79"),
    Fault("Xid 48", say("xid-48", "xid-63"), "gpu_xid", "Xid 48"),
    Fault("Xid 64", say("xid-64"), "gpu_xid", "could not be replaced"),
    Fault("Xid 119", say("xid-119"), "gpu_xid", "(GSP) did not answer"),
    Fault("Xid 31, of a program", say("xid-31"), "gpu_xid", "Xid 31", "warn"),
    Fault("HMM keeps CUDA from starting", say("hmm"), "gpu_hmm", "err -34"),
    Fault("HMM is on", xml("addressing_mode", "HMM"), "gpu_hmm", "HMM is on", "warn"),
    Fault(
        "thermal throttle", reasons("hw_slowdown", "hw_thermal_slowdown"), "gpu_throttle", "heat (hardware)"
    ),
    Fault("thermal throttle by the driver", reasons("sw_thermal_slowdown"), "gpu_throttle", "heat (driver)"),
    Fault("power-brake throttle", reasons("hw_power_brake_slowdown"), "gpu_throttle", "power brake"),
    Fault(
        "clocks set by somebody",
        reasons("applications_clocks_setting"),
        "gpu_throttle",
        "applications",
        "warn",
    ),
    Fault(
        "power cap lowered",
        xml("gpu_power_readings/current_power_limit", "400.00 W"),
        "gpu_power_limit",
        "400 of",
    ),
    Fault(
        "uncorrectable ECC",
        xml("ecc_errors/volatile/dram_uncorrectable", "1"),
        "gpu_ecc",
        "1 in DRAM",
        shapes=ONLY_H100,
    ),
    Fault(
        "uncorrectable ECC of SRAM",
        xml("ecc_errors/aggregate/sram_uncorrectable_parity", "2"),
        "gpu_ecc",
        "2 in SRAM",
        shapes=ONLY_H100,
    ),
    Fault(
        "uncorrectable ECC in its past",
        xml("ecc_errors/aggregate/dram_uncorrectable", "1"),
        "gpu_ecc",
        "in its life",
        "warn",
        ONLY_H100,
    ),
    Fault(
        "unrepairable memory",
        xml("ecc_errors/unrepairable_memory", "Yes"),
        "gpu_ecc",
        "unrepairable",
        shapes=ONLY_H100,
    ),
    Fault("row remap pending", xml(REMAP + "pending", "Yes"), "gpu_row_remap", "waits", shapes=ONLY_H100),
    Fault("row remap failed", xml(REMAP + "failure", "Yes"), "gpu_row_remap", "could not", shapes=ONLY_H100),
    Fault("replay storm", xml("pci/replay_counter", "20481"), "gpu_pcie_replay", "20481"),
    Fault("replays counted over", xml("pci/replay_rollover_counter", "3"), "gpu_pcie_replay", "counted over"),
    Fault("AER storm in the log", storm, "gpu_aer", "81 corrected"),
    Fault(
        "AER storm in the counters",
        lambda m: m.count_errors(m.device(1), correctable=5000),
        "gpu_aer",
        "5000 corrected",
    ),
    Fault(
        "AER storm at the port above",
        lambda m: m.count_errors(m.device(1).parent, correctable=81),
        "gpu_aer",
        "0000:00:01.1",
    ),
    Fault("AER: a fatal one in the log", say("aer-fatal"), "gpu_aer", "uncorrectable on 0000:00:01.1"),
    Fault(
        "AER: a fatal one counted",
        lambda m: m.count_errors(m.device(0), fatal=1),
        "gpu_aer",
        "uncorrectable on 0000:00:06.0",
    ),
    Fault("mixed VBIOS", xml("vbios_version", "96.00.A1.00.01"), "gpu_vbios_same", "96.00.A1.00.01"),
    Fault(
        "mixed driver: a module of before",
        lambda m: m.put("/sys/module/nvidia/version", "570.211.01\n"),
        "gpu_driver_same",
        "kernel module: 570.211.01",
    ),
    Fault(
        "mixed driver: another firmware on a card",
        xml("gsp_firmware_version", "570.211.01"),
        "gpu_driver_same",
        "570.211.01",
    ),
    Fault(
        "mixed driver: NVML refuses",
        end("Failed to initialize NVML: Driver/library version mismatch", 18),
        "gpu_answers",
        "mismatch",
    ),
    Fault("mixed driver: the module refuses", say("mismatch"), "gpu_driver_log", "two versions"),
    Fault("old driver", xml("driver_version", "550.127.05", -1), "gpu_driver_floor", "550.127.05"),
    Fault("BAR1 small", xml("bar1_memory_usage/total", "256 MiB"), "gpu_bar1", "256"),
    Fault("no memory window", say("no-window"), "gpu_driver_log", "no memory window"),
    Fault(
        "stopped fan",
        lambda m: [m.xml(1, "fan_speed", "0 %"), m.xml(1, "temperature/gpu_temp", "83 C")],
        "gpu_fans",
        "0 % at 83",
        shapes=ONLY_CUBE,
    ),
    Fault("hung nvidia-smi", hang, "gpu_answers", "did not answer"),
    Fault(
        "late nvidia-smi",
        lambda m: m.edits.update(seconds=1) or m.profile["gpu"]["answerSeconds"].update(max=0.5),
        "gpu_answers",
        ".",
    ),
    Fault("stale nvidia-smi", stale, "gpu_answers", "off the box's clock"),
    Fault(
        "translating IOMMU",
        lambda m: m.put("/sys/kernel/iommu_groups/1/type", "DMA-FQ\n"),
        "gpu_iommu",
        "DMA-FQ",
        shapes=ONLY_CUBE,
    ),
    Fault("ACS redirects", lambda m: m.redirect(2, 0x1D), "gpu_acs", "0000:00:01.2", shapes=ONLY_CUBE),
    Fault("persistence off", xml("persistence_mode", "Disabled"), "gpu_persistence", "Disabled"),
    Fault("one program only", xml("compute_mode", "Exclusive_Process"), "gpu_compute_mode", "Exclusive"),
    Fault("split card", xml("mig_mode/current_mig", "Enabled"), "gpu_compute_mode", "MIG"),
    Fault("failing NVMe", smart(critical_warning=4, media_errors=12), "nvme_smart", "12 media errors"),
    Fault(
        "Gen4 under load",
        lambda m: [m.xml(1, LINK + "pcie_gen/current_link_gen", "4"), m.xml(1, BUSY, "98 %")],
        "gpu_pcie_link",
        "Gen4 x16",
    ),
    Fault(
        "x8 link under load",
        lambda m: [m.xml(1, LINK + "link_widths/current_link_width", "8x"), m.xml(1, BUSY, "98 %")],
        "gpu_pcie_link",
        "Gen5 x8",
    ),
    Fault("Gen4 once data goes over it", resting("4", "16"), "gpu_pcie_link", "Gen4 x16"),
    Fault("x8 link once data goes over it", resting("5", "8"), "gpu_pcie_link", "Gen5 x8"),
]
