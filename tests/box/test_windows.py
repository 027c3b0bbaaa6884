"""Windows of telemetry: what two H100 told raises no finding, and each planted fault is found on the card that has it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from vcbox.telemetry import FIELDS, parse_row
from vcbox.windows import RULES, Judged, Window, judge
from vcbox.windows_words import NEXT

from loaded import AT_WORK, LOAD_FAULTS, LoadFault, edit, recorded, rows, to_limit, window
from machine import STAND_IN, Machine, profile

H100 = profile("two-h100")


def kinds(found: Judged) -> list[tuple[str, int | None]]:
    return [(f.kind, f.card) for f in found.findings]


def test_recorded_cards_at_work_have_no_finding() -> None:
    found = judge(FIELDS, rows(), window(), H100)
    assert found.findings == []
    assert set(found.kinds) == set(RULES) - {"power", "fan"}
    assert found.unjudged == {
        "power": "this load is not made to draw the whole limit",
        "fan": "no card tells fan.speed",
    }


def test_recorded_cards_at_rest_and_through_a_whole_run_have_none() -> None:
    all_rows = recorded()
    whole = Window(all_rows[0][0], all_rows[-1][0], cards=2, busy=False)
    assert judge(FIELDS, all_rows, whole, H100).findings == []


def test_a_load_that_draws_the_whole_limit_has_none() -> None:
    found = judge(FIELDS, to_limit(rows()), window(to_target=True), H100)
    assert found.findings == [] and "power" in found.kinds


@pytest.mark.parametrize("fault", LOAD_FAULTS, ids=lambda f: f.name)
def test_each_fault_is_found(fault: LoadFault) -> None:
    found = judge(FIELDS, fault.plant(rows()), window(to_target=fault.to_target), H100)
    assert (fault.kind, fault.card) in kinds(found), found
    assert {f.card for f in found.findings} <= {fault.card}
    for finding in found.findings:
        assert finding.sentence and finding.threshold and finding.next == NEXT[finding.kind]


def test_a_slow_clock_under_the_power_cap_is_no_fault() -> None:
    found = edit("clocks.current.sm", 1200)(to_limit(rows()))
    assert judge(FIELDS, found, window(), H100).findings == []


def test_one_low_reading_as_the_load_starts_is_no_fault() -> None:
    found = edit("pcie.link.gen.current", 1, until=1)(rows())
    assert judge(FIELDS, found, window(), H100).findings == []


def test_journals_with_fewer_fields_are_judged_by_what_they_have() -> None:
    fewer = ("utilization.gpu", "temperature.gpu")
    cut = [[*r[:2], r[2 + FIELDS.index(fewer[0])], r[2 + FIELDS.index(fewer[1])]] for r in rows()]
    found = judge(fewer, cut, window(), H100)
    assert found.findings == [] and set(found.kinds) == {"vanished", "gap", "hot", "idle"}
    assert "power.limit" in found.unjudged["power_limit"]


def test_what_the_profile_does_not_name_is_not_judged() -> None:
    found = judge(FIELDS, edit("temperature.gpu", 120)(rows()), window(), {"gpu": {}})
    assert found.findings == [] and found.kinds == []
    assert set(found.unjudged) == set(RULES)


LOST = [
    {"card": 1, "field": name, "value": "[GPU is lost]", "from": 90}
    for name in ("utilization.gpu", "temperature.gpu", "power.draw", "clocks.current.sm")
]


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        ({"query": [{"card": 1, "field": "pcie.link.gen.current", "value": "4", "from": 0}]}, "link"),
        ({"drop": [{"card": 1, "from": 90}]}, "vanished"),
        ({"query": LOST}, "vanished"),
        ({"stale": True}, "stale"),
        ({"end": {"after": 90, "text": "Unable to determine the device handle for GPU1", "code": 15}}, "gap"),
    ],
    ids=["Gen4", "falls off", "lost values", "stale", "all fall silent"],
)
def test_through_the_faulty_nvidia_smi(tmp_path: Path, plant: dict[str, Any], kind: str) -> None:
    """Rows as the stand-in prints them, of cards that are kept at work, a round for a second."""
    machine = Machine(tmp_path, "h100")
    machine.query(None, "utilization.gpu", str(AT_WORK))
    planted = [*machine.edits["query"], *plant.get("query", [])]
    end = {"after": 181, "text": "stopped", "code": 0}
    machine.edits = {**machine.edits, "end": end, **plant, "query": planted}
    query = "--query-gpu=" + ",".join(("index", *FIELDS))
    command = [sys.executable, str(STAND_IN), query, "--format=csv,noheader,nounits", "-lms", "1"]
    done = subprocess.run(command, env=machine.environment(), capture_output=True, text=True, check=False)
    found, second = [], -1.0
    for line in done.stdout.splitlines():
        second += line.startswith("0,")
        if row := parse_row(line, second):
            found.append(row)
    assert kind in {f.kind for f in judge(FIELDS, found, window(), H100).findings}
