"""A lowered power limit: set with consent, judged as what was agreed to, and put back after the end, a cancel, and a kill of whoever would."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

import loads
from conftest import Box, events, processes_of, wait_until
from loadbox import LoadBox, results, with_pause
from shape import validate

LIMIT = {"watts": 450, "full": 700}
FULL = {uuid: "700.00 W" for uuid in loads.UUIDS}
LOWERED = {uuid: "450.00 W" for uuid in loads.UUIDS}


@pytest.fixture
def here(box: Box, tmp_path: Path) -> LoadBox:
    return LoadBox(box, tmp_path)


def limits(here: LoadBox) -> dict[str, str] | None:
    """As the stand-in nvidia-smi keeps them; None while nobody set one."""
    try:
        return json.loads(here.limits.read_text())
    except (FileNotFoundError, ValueError):
        return None


def record(here: LoadBox) -> Path:
    return here.box.state / "power-limit.json"


def notes(found: list[dict[str, Any]]) -> list[str]:
    return [e["text"] for e in found if e["kind"] == "log" and e["stream"] == "note"]


def training(here: LoadBox) -> None:
    here.says.says("ddp_resnet50-1", loads.ddp(1, 3935.0))
    here.says.says("ddp_resnet50-2", with_pause(loads.ddp(2, 7817.0), 1.5))


def soaking(here: LoadBox) -> Path:
    """A soak on cards that are held to less, in its middle."""
    lines = [one for one in loads.soak(600.0) if one["at"] in ("card", "begin", "progress", "round")]
    here.says.says("soak", [*lines, {"do": "hang"}])
    folder = here.box.start("checks", here.params("stress", seconds=600, powerLimit=LIMIT))
    wait_until(
        "load", lambda: any(e["kind"] == "progress" and e["unit"] == "seconds" for e in events(folder))
    )
    assert limits(here) == LOWERED and record(here).exists()
    return folder


def test_it_holds_while_the_suite_runs_and_is_judged_as_agreed(here: LoadBox) -> None:
    training(here)
    folder = here.box.start("checks", here.params("pytorch-ddp", powerLimit=LIMIT))
    found = here.box.wait(folder, 60)
    assert validate(folder)[-1]["outcome"] == "passed"
    power = results(found)["t2_power"]
    assert power["verdict"] == "pass", power
    rows = [row for e in found if e["kind"] == "samples" for row in e["rows"]]
    at = 2 + next(e for e in found if e["kind"] == "samples")["fields"].index("power.limit")
    assert {row[at] for row in rows} == {450}
    assert notes(found)[0] == "power limits before: 700 W, 700 W"
    assert "power limits are as they were: 700 W, 700 W" in notes(found)
    assert limits(here) == FULL and not record(here).exists()


def test_without_it_no_limit_is_touched_and_a_lower_one_would_be_found(here: LoadBox) -> None:
    training(here)
    here.limits.write_text(json.dumps(LOWERED))
    found = here.box.run("checks", here.params("pytorch-ddp"), 60)
    power = results(found)["t2_power"]
    assert power["verdict"] == "fail" and "its power limit was 450 W" in power["value"]
    assert limits(here) == LOWERED


@pytest.mark.parametrize(
    ("plant", "word"),
    [
        ({"power": {"min": 500, "max": 700}}, "between 500.00 W and 700.00 W"),
        ({"query": [{"card": 1, "field": "power.limit", "value": "[N/A]"}]}, "tells no power limit"),
        (
            {"query": [{"card": None, "field": "power.limit", "value": "300"}]},
            "held to less already: 300 W, 300 W",
        ),
    ],
    ids=["out of range", "a card without one", "lower already"],
)
def test_what_the_cards_do_not_take_stops_the_job_before_any_load(
    here: LoadBox, plant: dict[str, Any], word: str
) -> None:
    here.says.says("soak", loads.soak(3.0))
    here.edits.write_text(json.dumps(plant))
    found = here.box.run("checks", here.params("stress", seconds=3, powerLimit=LIMIT), 60)
    end = found[-1]
    assert (end["outcome"], end["code"]) == ("failed", "power_limit_failed") and word in end["detail"], end
    assert results(found) == {} and not (here.says.folder / "calls").exists()
    assert limits(here) in (None, FULL) and not record(here).exists()


def test_a_cancel_puts_it_back_before_the_job_ends(here: LoadBox) -> None:
    folder = soaking(here)
    (folder / "control" / "cancel").touch()
    found = here.box.wait(folder, 60)
    assert found[-1]["outcome"] == "cancelled"
    assert limits(here) == FULL and not record(here).exists()
    assert "power limits are as they were: 700 W, 700 W" in notes(found)


def runner_of(folder: Path) -> int:
    return next(e for e in events(folder) if e["kind"] == "started")["pid"]


def test_a_killed_runner_leaves_it_to_the_supervisor(here: LoadBox) -> None:
    folder = soaking(here)
    os.kill(runner_of(folder), signal.SIGKILL)
    wait_until("the end of all of it", lambda: not processes_of(folder), 30)
    assert limits(here) == FULL and not record(here).exists()


def test_where_both_were_killed_the_next_job_does_it(here: LoadBox) -> None:
    folder = soaking(here)
    for pid in processes_of(folder):
        os.kill(pid, signal.SIGKILL)
    wait_until("the end of all of it", lambda: not processes_of(folder), 30)
    assert limits(here) == LOWERED and record(here).exists()
    found = here.box.run("selftest", {"count": 3, "rate": 100})
    assert "power limits are as they were: 700 W, 700 W" in notes(found)
    assert limits(here) == FULL and not record(here).exists()


def test_what_was_set_before_a_start_of_the_machine_is_forgotten(here: LoadBox) -> None:
    subprocess.run(["mkdir", "-p", here.box.state], check=True)
    before = dict.fromkeys(loads.UUIDS, 700.0)
    record(here).write_text(
        json.dumps({"job": "x", "boot": "of another start", "before": before, "watts": 450})
    )
    found = here.box.run("selftest", {"count": 3, "rate": 100})
    assert not any("power" in text for text in notes(found))
    assert limits(here) is None and not record(here).exists()
