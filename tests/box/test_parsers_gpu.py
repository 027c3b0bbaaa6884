"""Parsers of suite T1 on what was recorded and on lines of public reports."""

import json
import re
import time
from pathlib import Path

import pytest
from vcbox import process
from vcbox.checks import link_look
from vcbox.checks.base import Look
from vcbox.parsers import kernel_log, nvidia_smi, pci, smart
from vcbox.parsers.nvidia_values import number, text

from conftest import FIXTURES
from machine import Machine, PlantedLook, kernel_lines

H100 = FIXTURES / "nvidia-smi-2xh100"


def test_the_health_of_two_recorded_h100() -> None:
    found = nvidia_smi.parse_query_xml((H100 / "q-after.xml").read_text())
    assert found["timestamp"] == "Mon Nov 23 22:52:23 2026"
    first = found["gpus"][0]
    assert (first["replays"], first["fanPercent"], first["computeMode"]) == (1, None, "Default")
    assert first["reasons"] == ["gpu_idle"] and first["recovery"] == "None" and first["lost"] == []
    assert (first["powerLimitW"], first["powerDefaultW"], first["powerMaxW"]) == (700.0, 700.0, 700.0)
    assert first["remap"] == {"pending": False, "failed": False, "correctable": 0, "uncorrectable": 0}
    assert first["ecc"] == {
        "mode": "Enabled",
        **dict.fromkeys(("volatileSram", "volatileDram", "aggregateSram", "aggregateDram"), 0),
        **dict.fromkeys(("exceeded", "unrepairable", "channelPending", "tpcPending"), False),
    }


def test_the_words_of_older_drivers() -> None:
    xml = (H100 / "q-idle.xml").read_text()
    old = xml.replace("clocks_event_reason", "clocks_throttle_reason").replace(
        "gpu_power_readings", "power_readings"
    )
    old = re.sub(r"<sram_uncorrectable_parity>.*\n", "", old).replace(
        "sram_uncorrectable_secded", "sram_uncorrectable"
    )
    then, now = nvidia_smi.parse_query_xml(old)["gpus"][0], nvidia_smi.parse_query_xml(xml)["gpus"][0]
    assert {k: v for k, v in then.items() if now[k] != v} == {}


@pytest.mark.parametrize(
    "word", ["N/A", "[N/A]", " [Not Supported] ", "", "Requested functionality has been deprecated"]
)
def test_what_is_not_told_is_absent_and_not_zero(word: str) -> None:
    assert text(word) is None and number(word) is None


@pytest.mark.parametrize(
    "word", ["GPU is lost", "Unknown Error", "[Unknown Error]", "ERR!", "[GPU requires reset]"]
)
def test_a_value_of_a_lost_card_is_none_and_the_card_is_named(word: str) -> None:
    xml = (H100 / "q-idle.xml").read_text().replace("<gpu_temp>36 C<", f"<gpu_temp>{word}<")
    first, second = nvidia_smi.parse_query_xml(xml)["gpus"]
    assert first["temperatureC"] is None and first["lost"] == ["gpu_temp"] and second["lost"] == []


@pytest.mark.parametrize(
    ("name", "xids"),
    [
        ("xid-79", [79]),
        ("fallen", [79]),
        ("xid-48", [48]),
        ("xid-119", [119, 154]),
        ("healthy", []),
        ("hmm", []),
    ],
)
def test_xids(name: str, xids: list[int]) -> None:
    found = kernel_log.parse_xids(kernel_lines(name))
    assert [x["xid"] for x in found] == xids
    assert {kernel_log.short_bus(x["bus"]) for x in found} <= {"0000:00:07"}


def test_addresses_of_driver_kernel_and_nvidia_smi_agree() -> None:
    for written in ("00000000:41:00.0", "0000:41:00", "0000:41:00.0"):
        assert kernel_log.short_bus(written) == "0000:41:00"
    assert pci.address("00000000:C1:00.0") == "0000:c1:00.0"


def test_aer_reports_by_severity() -> None:
    lines = (
        kernel_lines("aer-corrected")
        + kernel_lines("aer-fatal")
        + (
            "[1.0] nvidia 0000:00:07.0: AER: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=Transaction Layer, (Requester ID)\n"
        )
    )
    found = [(e["device"], e["severity"]) for e in kernel_log.parse_aer(lines)]
    assert found == [("0000:00:07.0", "corrected"), ("0000:00:01.1", "fatal"), ("0000:00:07.0", "nonfatal")]


def test_a_healthy_log_has_no_complaint() -> None:
    log = kernel_lines("healthy")
    assert kernel_log.parse_complaints(log) == [] and kernel_log.parse_hmm(log) == []
    assert "EXT4" not in kernel_log.relevant(log) and "NVRM: loading" in kernel_log.relevant(log)


def test_counters_of_pci_devices() -> None:
    assert pci.total("BadTLP 3\nTimeout 4\nTOTAL_ERR_COR 7\n") == 7
    assert pci.total("BadTLP 3\nTimeout 4\n") == 7
    assert pci.total(None) is None
    assert (
        pci.gone(b"\xff\xff\xff\xff") is True
        and pci.gone(b"\xde\x10\x30\x23") is False
        and pci.gone(b"") is None
    )


def test_smart_of_both_tools() -> None:
    log = {"critical_warning": 0, "percentage_used": 3, "media_errors": 0, "available_spare": 100}
    ctl = {"smart_status": {"passed": True}, "nvme_smart_health_information_log": log}
    found = smart.parse_smart(json.dumps(ctl))
    assert found and (found["passed"], found["warning"], found["usedPercent"]) == (True, 0, 3)
    cli = smart.parse_smart(
        json.dumps({"critical_warning": {"value": 4}, "percent_used": 3, "avail_spare": 9})
    )
    assert cli and (cli["passed"], cli["warning"], cli["sparePercent"]) == (None, 4, 9)
    for other in ("", "not JSON", "[]", "{}", json.dumps({"smartctl": {"exit_status": 2}})):
        assert smart.parse_smart(other) is None


def test_a_program_that_outlives_its_kill_is_not_waited_for() -> None:
    start = time.monotonic()
    # Its child keeps the pipe open, as one that hangs in the kernel does.
    status, _, err = process.capture(["sh", "-c", "sleep 20 & wait"], 0.3)
    assert status == 124 and "did not answer" in err and time.monotonic() - start < 10


class NoSmi(Look):
    def run(self, argv: tuple[str, ...], timeout: float) -> tuple[int, str, str]:
        raise AssertionError("nothing is asked when no data flows")


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (["sh", "-c", "echo libcuda.so.1: no such file >&2; exit 3"], "libcuda.so.1"),
        (["sleep", "30"], "nothing within"),
        (["/nonexistent/python"], "does not start"),
    ],
)
def test_links_are_not_read_where_no_data_flows(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], word: str
) -> None:
    monkeypatch.setattr(link_look, "load_command", lambda: argv)
    monkeypatch.setattr(link_look, "START_SECONDS", 1.0)
    found = link_look.under_load(NoSmi())
    assert found["links"] == {} and word in found["why"]


def test_links_are_read_while_data_flows_and_the_best_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(link_look, "load_command", lambda: ["sh", "-c", "echo copying; exec sleep 60"])
    machine = Machine(tmp_path, "h100")
    machine.query(1, "pcie.link.width.current", "8")
    look = PlantedLook()
    look.machine = machine
    assert link_look.under_load(look)["links"] == {"0000:00:06.0": [5, 16], "0000:00:07.0": [5, 8]}
