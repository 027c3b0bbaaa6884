"""The app's profiles as the checks of suite T1 read them, on what real cards told."""

import json
from typing import Any

import pytest
from vcbox import checks
from vcbox.checks.base import Result
from vcbox.parsers.nvidia_smi import parse_query_xml

from conftest import FIXTURES, REPO

WITH_NUMBERS = [
    "gpu_count",
    "gpu_name",
    "gpu_memory",
    "gpu_driver_floor",
    "gpu_pcie_max",
    "gpu_pcie_link",
    "gpu_idle_temperature",
]


def judge(id: str, name: str) -> Result:
    profile = json.loads((REPO / "resources" / "profiles" / f"{name}.json").read_text())
    query = parse_query_xml((FIXTURES / "nvidia-smi-2xh100" / "q-idle.xml").read_text())
    raw: dict[str, Any] = {"status": 0, "why": "", "query": query, "bus": 2, "module": None}
    module = checks.load(id)
    assert module
    return module.judge(raw, profile)


@pytest.mark.parametrize("id", WITH_NUMBERS)
def test_two_recorded_h100_are_what_their_profile_says(id: str) -> None:
    found = judge(id, "two-h100")
    assert found.verdict == "pass", found
    assert found.threshold and found.source


def test_they_are_no_vault_cube() -> None:
    verdicts = {id: judge(id, "vault-cube").verdict for id in WITH_NUMBERS}
    assert [id for id, verdict in verdicts.items() if verdict == "fail"] == WITH_NUMBERS[:3]
    assert judge("gpu_count", "vault-cube").threshold == "4"
