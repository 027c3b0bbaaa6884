"""Faults from seeds: each is named by the check that has to, none is passed, and healthy machines raise no alarm.

A few seeds here; `npm run bench:t1` runs as many as one likes and prints the bars.
"""

import re

import pytest
from vcbox.parsers import kernel_log

import generate
import loadgen

SEEDS = 40


def test_faults_from_seeds_are_named_and_healthy_machines_are_quiet() -> None:
    found = generate.run(range(SEEDS))
    print(
        f"{found.faults} faults of {len(found.kinds)} kinds, {found.judged} verdicts on {found.healthy} healthy machines"
    )
    assert found.missed == [] and found.passed == [] and found.alarms == []
    assert found.named == found.faults >= SEEDS and found.judged >= SEEDS * 20


def test_windows_from_seeds_are_too() -> None:
    found = loadgen.run(range(SEEDS))
    assert found.missed == [] and found.alarms == []
    assert found.named == found.faults == SEEDS


def test_a_check_that_is_blind_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_log, "XID", re.compile("nothing"))
    found = generate.run(range(SEEDS))
    assert any("gpu_xid says pass" in line for line in found.missed)
