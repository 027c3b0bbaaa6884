"""Every planted fault is named by the check that has to, and a healthy machine raises no alarm."""

from pathlib import Path
from typing import Any

import pytest
from vcbox.outcome import expectation_of

from machine import SUITE, Machine
from planted import FAULTS, Fault

# Where a fault can be planted into both machines they take turns; `npm run bench:t1` plants it into both.
RUNS = [(fault, fault.shapes[n % len(fault.shapes)]) for n, fault in enumerate(FAULTS)]
QUIET = ("pass", "not_supported", "not_run")


@pytest.mark.parametrize(("fault", "shape"), RUNS, ids=[f"{f.name} [{shape}]" for f, shape in RUNS])
def test_each_is_named(tmp_path: Path, fault: Fault, shape: str) -> None:
    machine = Machine(tmp_path, shape)
    fault.plant(machine)
    found = machine.verdicts()[fault.check]
    assert found["verdict"] == fault.verdict, found
    assert fault.word in str(found["value"]), found
    assert found["nextAction"] and found["threshold"]


def required(machine: Machine, found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that the profile requires on a real machine and that ran."""
    ran = [r for r in found.values() if r["verdict"] not in ("not_run", "not_supported")]
    return [r for r in ran if expectation_of(machine.profile, r["id"], "real")["kind"] != "informative"]


@pytest.mark.parametrize("shape", ["h100", "h200", "cube"])
def test_a_healthy_machine_raises_no_alarm(tmp_path: Path, shape: str) -> None:
    machine = Machine(tmp_path, shape)
    found = machine.verdicts()
    assert [r["id"] for r in found.values() if r["verdict"] not in QUIET] == []
    ran = required(machine, found)
    assert len(ran) >= 22
    for result in found.values():
        if result["verdict"] == "pass" or result in ran:
            continue
        expected = expectation_of(machine.profile, result["id"], "real")
        assert expected["kind"] != "required", result


def test_the_faults_are_of_every_check() -> None:
    assert {f.check for f in FAULTS} == set(SUITE)
    assert len({f.name for f in FAULTS}) == len(FAULTS) >= 25
