"""Suite T1: judges are pure, and each is given what was recorded, as it is and changed in one place."""

import re
from typing import Any

import pytest
from vcbox import checks
from vcbox.checks.base import Result
from vcbox.parsers.kernel_log import FATAL
from vcbox.xids import MEANINGS

from conftest import REPO
from gpu_raw import ABSENT, BUSES, PROFILE, SMART, gpus
from items import judged


def judge(id: str, raw: dict[str, Any], profile: dict[str, Any] = PROFILE) -> Result:
    return judged(id, raw, profile)


def one(**change: Any) -> dict[str, Any]:
    """The second card changed."""
    raw = gpus()
    raw["query"]["gpus"][1].update(change)
    return raw


def ecc(**change: Any) -> dict[str, Any]:
    return one(ecc={**gpus()["query"]["gpus"][1]["ecc"], **change})


def log(line: str) -> dict[str, Any]:
    return {**gpus(), "log": line}


def links(link: list[int]) -> dict[str, Any]:
    return {"links": dict.fromkeys(BUSES, link), "why": None}


def port(**change: int) -> dict[str, Any]:
    raw = gpus()
    raw["ports"][1].update(change)
    return raw


def smart(**change: Any) -> dict[str, Any]:
    return {**gpus(), "disks": {"nvme0": {**SMART, **change}}}


def test_two_real_h100_pass_every_check() -> None:
    for id in checks.SUITES["gpu-detection"]:
        assert judge(id, gpus()).verdict == ABSENT.get(id, "pass"), id


GPU_TABLE: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("gpu_count", gpus(), {"count": 4}, "fail", "2"),
    ("gpu_name", gpus(), {"name": "NVIDIA GeForce RTX 5090"}, "fail", "H100"),
    ("gpu_memory", gpus(), {"memoryMiB": 32607, "memoryToleranceMiB": 512}, "fail", "81559"),
    ("gpu_memory", gpus(memoryMiB=None), {}, "error", ""),
    ("gpu_driver_floor", gpus(), {"driverFloor": {"version": "590.1", "source": "x"}}, "fail", "580.159.04"),
    ("gpu_driver_floor", gpus(), {"driverFloor": "570.26"}, "pass", "580"),
    ("gpu_driver_same", {**gpus(), "module": "570.1\n"}, {}, "fail", "kernel module: 570.1"),
    ("gpu_pcie_max", gpus(pcieGenCard=4), {}, "fail", "Gen4 x16"),
    ("gpu_pcie_link", gpus(pcieGenNow=1), {}, "not_run", "Gen1 x16"),
    ("gpu_pcie_link", gpus(pcieGenNow=4, utilization=97), {}, "fail", "Gen4 x16"),
    ("gpu_pcie_link", gpus(pcieWidthNow=8), {}, "not_run", "Gen5 x8"),
    ("gpu_pcie_link", {**gpus(pcieGenNow=1), "loaded": links([5, 16])}, {}, "pass", "Gen5 x16 on all 2"),
    ("gpu_pcie_link", {**gpus(pcieGenNow=1), "loaded": links([4, 16])}, {}, "fail", "Gen4 x16 on all 2"),
    ("gpu_pcie_link", {**gpus(), "loaded": links([5, 8])}, {}, "fail", "Gen5 x8"),
    (
        "gpu_pcie_link",
        {**gpus(pcieGenNow=1), "loaded": {"links": {}, "why": "no CUDA"}},
        {},
        "not_run",
        "Gen1",
    ),
    ("gpu_idle_temperature", gpus(temperatureC=60), {}, "fail", "60"),
    ("gpu_idle_temperature", gpus(temperatureC=70, utilization=90), {}, "not_run", "70"),
    ("gpu_idle_temperature", gpus(temperatureC=59), {}, "pass", "59"),
    ("gpu_idle_temperature", gpus(), {"idleTemperatureC": None}, "not_supported", ""),
    ("gpu_xid", {**gpus(), "log": "NVRM: Xid (PCI:0000:41:00): 79, x"}, {}, "fail", "Xid 79"),
    ("gpu_xid", {**gpus(), "log": "NVRM: Xid (PCI:0000:41:00): 31, x"}, {}, "warn", "Xid 31"),
    ("gpu_xid", {**gpus(), "log": None, "logWhy": "not permitted"}, {}, "not_run", ""),
    ("gpu_xid", {**log("NVRM: Xid (PCI:0000:41:00): 79, x"), "query": None, "status": 15}, {}, "fail", "bus"),
    ("gpu_answers", {**gpus(), "seconds": 11.0}, {}, "fail", "11"),
    ("gpu_answers", {**gpus(), "at": 1.0}, {}, "fail", "off the box's clock"),
    ("gpu_answers", {**gpus(), "query": None, "status": 124, "why": "no answer"}, {}, "fail", "no answer"),
    ("gpu_on_bus", {**gpus(), "cards": [{"address": "0000:00:08.0", "gone": None}]}, {}, "fail", "00:08.0"),
    ("gpu_on_bus", {**gpus(), "cards": [{"address": BUSES[0], "gone": True}]}, {}, "fail", "no longer"),
    ("gpu_on_bus", {**gpus(), "cards": []}, {}, "not_run", ""),
    ("gpu_recovery", one(recovery="Reset"), {}, "fail", "Reset"),
    ("gpu_recovery", one(lost=["gpu_temp"]), {}, "fail", "gpu_temp"),
    ("gpu_bar1", one(bar1MiB=256), {}, "fail", "256"),
    ("gpu_bar1", gpus(), {"bar1MiB": None}, "not_supported", ""),
    ("gpu_pcie_replay", one(replays=81), {}, "fail", "81"),
    ("gpu_pcie_replay", one(replays=80), {}, "pass", "80"),
    ("gpu_pcie_replay", one(replayRollovers=1), {}, "fail", "over"),
    ("gpu_pcie_replay", one(replays=None), {}, "error", ""),
    ("gpu_pcie_replay", gpus(replays=None), {}, "not_supported", ""),
    ("gpu_aer", port(correctable=81), {}, "fail", "81 corrected"),
    ("gpu_aer", port(correctable=80), {}, "pass", "80 corrected"),
    ("gpu_aer", port(fatal=1), {}, "fail", "uncorrectable"),
    ("gpu_aer", {**gpus(), "ports": []}, {}, "not_supported", ""),
    ("gpu_iommu", {**gpus(), "groups": 9, "types": ["DMA-FQ", "identity"]}, {}, "fail", "DMA-FQ"),
    ("gpu_iommu", {**gpus(), "groups": 9, "types": ["identity"]}, {}, "pass", "identity"),
    ("gpu_iommu", {**gpus(), "groups": 9, "types": ["unknown"]}, {}, "not_run", ""),
    ("gpu_acs", {**gpus(), "bridges": 1, "controls": {"0000:40:01.1": 0x1D}}, {}, "fail", "40:01.1"),
    ("gpu_acs", {**gpus(), "bridges": 1, "controls": {"0000:40:01.1": 0x11}}, {}, "pass", "none of 1"),
    ("gpu_acs", {**gpus(), "bridges": 1, "hidden": ["0000:40:01.1"]}, {}, "not_run", ""),
    ("gpu_fans", {**gpus(fanPercent=0, temperatureC=60)}, {}, "fail", "0 % at 60"),
    ("gpu_fans", {**gpus(fanPercent=0, temperatureC=59)}, {}, "pass", "0 %"),
    ("gpu_fans", one(fanPercent=30), {}, "error", ""),
    ("gpu_power_limit", one(powerLimitW=450.0), {}, "fail", "450 of 700"),
    ("gpu_power_limit", gpus(powerLimitW=600.0, powerDefaultW=600.0), {}, "fail", "600 of 600"),
    ("gpu_throttle", one(reasons=["sw_power_cap"]), {}, "pass", "sw_power_cap"),
    ("gpu_throttle", one(reasons=["hw_slowdown", "hw_power_brake_slowdown"]), {}, "fail", "power brake"),
    ("gpu_throttle", one(reasons=["sw_thermal_slowdown"]), {}, "fail", "heat (driver)"),
    ("gpu_throttle", one(reasons=["applications_clocks_setting"]), {}, "warn", "applications"),
    ("gpu_throttle", one(reasons=None), {}, "error", ""),
    ("gpu_persistence", one(persistence="Disabled"), {}, "fail", "Disabled"),
    ("gpu_compute_mode", one(computeMode="Prohibited"), {}, "fail", "Prohibited"),
    ("gpu_compute_mode", one(mig="Enabled"), {}, "fail", "split"),
    ("gpu_ecc", ecc(volatileDram=1), {}, "fail", "1 in DRAM since"),
    ("gpu_ecc", ecc(aggregateSram=2), {}, "fail", "2 in SRAM in its life"),
    ("gpu_ecc", ecc(aggregateDram=3), {}, "warn", "3 in DRAM in its life"),
    ("gpu_ecc", ecc(unrepairable=True), {}, "fail", "unrepairable"),
    ("gpu_ecc", ecc(channelPending=True), {}, "warn", "waits for a reset"),
    (
        "gpu_ecc",
        ecc(**dict.fromkeys(("volatileSram", "volatileDram", "aggregateSram", "aggregateDram"))),
        {},
        "error",
        "",
    ),
    (
        "gpu_row_remap",
        one(remap={"pending": True, "failed": False, "correctable": 0, "uncorrectable": 1}),
        {},
        "fail",
        "waits",
    ),
    (
        "gpu_row_remap",
        one(remap={"pending": False, "failed": True, "correctable": 0, "uncorrectable": 1}),
        {},
        "fail",
        "could not",
    ),
    ("gpu_row_remap", gpus(remap=None), {}, "not_supported", ""),
    (
        "gpu_driver_log",
        log("NVRM: GPU 0000:41:00.0: RmInitAdapter failed! (0x62:0x51:1941)"),
        {},
        "fail",
        "could not start",
    ),
    (
        "gpu_hmm",
        log("nvidia-uvm: devmem_alloc_pagemap[pid:9] request_free_mem_region() err -34"),
        {},
        "fail",
        "err -34",
    ),
    ("gpu_hmm", one(addressing="HMM"), {}, "warn", "HMM is on"),
    ("nvme_smart", smart(warning=4), {}, "fail", "critical warning 0x04"),
    ("nvme_smart", smart(passed=False, mediaErrors=2), {}, "fail", "2 media errors"),
    ("nvme_smart", smart(sparePercent=5), {}, "fail", "spare 5 %"),
    ("nvme_smart", smart(usedPercent=100), {}, "fail", "worn out"),
    ("nvme_smart", {**gpus(), "tools": [], "disks": {"nvme0": None}}, {}, "not_supported", ""),
    ("nvme_smart", {**gpus(), "disks": {"nvme0": None}}, {}, "not_supported", ""),
]


@pytest.mark.parametrize(("id", "raw", "change", "verdict", "word"), GPU_TABLE)
def test_gpu_checks(id: str, raw: dict[str, Any], change: dict[str, Any], verdict: str, word: str) -> None:
    found = judge(id, raw, {**PROFILE, "gpu": {**PROFILE["gpu"], **change}})
    assert found.verdict == verdict and word in str(found.value)
    assert verdict == "pass" or found.next or found.reason


def test_different_vbios() -> None:
    raw = gpus()
    raw["query"]["gpus"][1]["vbios"] = "96.00.AA"
    assert judge("gpu_vbios_same", raw).verdict == "fail"


def test_without_a_driver_nothing_passes() -> None:
    raw = {**gpus(), "status": 127, "why": "not found", "query": None, "module": None, "log": "x"}
    raw |= {"cards": [], "ports": []}
    verdicts = {id: judge(id, raw).verdict for id in checks.SUITES["gpu-detection"]}
    assert verdicts.pop("gpu_count") == "fail"
    # These look at the box and need no driver.
    assert {verdicts.pop(id) for id in ("gpu_iommu", "gpu_acs", "nvme_smart")} == {"pass"}
    assert set(verdicts.values()) == {"not_run"}


def test_every_check_of_the_suite_has_a_row_that_does_not_pass() -> None:
    bad = {id for id, *_, verdict, _ in GPU_TABLE if verdict in ("fail", "warn")}
    assert bad | {"gpu_vbios_same"} == set(checks.SUITES["gpu-detection"])


def test_the_document_lists_the_checks_in_their_order() -> None:
    text = (REPO / "docs" / "validation.md").read_text()
    assert re.findall(r"^\| `((?:gpu|nvme)_\w+)` \|", text, re.MULTILINE) == checks.SUITES["gpu-detection"]


def test_every_fatal_xid_has_a_meaning_of_its_own() -> None:
    assert FATAL <= MEANINGS.keys() and all(m.sentence and m.next for m in MEANINGS.values())


def test_an_xid_has_a_sentence_and_says_what_to_do() -> None:
    found = judge("gpu_xid", log("NVRM: Xid (PCI:0000:41:00): 79, pid=0, GPU has fallen off the bus."))
    assert "the card has fallen off the bus" in str(found.value) and found.next
    assert all(word in found.next for word in ("reseat", "circuit", "RMA"))
