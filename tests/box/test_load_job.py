"""A load suite as a job of the real runner: telemetry of its window, a cancel in the middle, a kill and the attempt after it."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

import loads
from conftest import Box, events, processes_of, wait_until
from loadbox import LoadBox, results, with_pause
from loads import line
from shape import validate


@pytest.fixture
def here(box: Box, tmp_path: Path) -> LoadBox:
    return LoadBox(box, tmp_path)


def test_a_suite_is_judged_with_the_telemetry_of_its_own_window(here: LoadBox) -> None:
    here.says.says("ddp_resnet50-1", with_pause(loads.ddp(1, 3935.0), 0.3))
    here.says.says("ddp_resnet50-2", with_pause(loads.ddp(2, 7817.0), 3.0))
    folder = here.box.start("checks", here.params("pytorch-ddp"))
    here.box.wait(folder, 90)
    found = validate(folder)
    told = results(found)
    assert found[-1]["outcome"] == "passed"
    for id in ("t2_initialize", "t2_ranks", "t2_loss", "t2_efficiency", "t2_allreduce"):
        assert told[id]["verdict"] == "pass", told[id]
    # The stand-in replays from the start, where the recorded cards rest: that is what telemetry of this window says.
    assert told["t2_utilization"]["verdict"] == "fail" and told["t2_utilization"]["unit"] == "%"
    assert told["t2_efficiency"]["suite"] == "pytorch-ddp"
    texts = [e["text"] for e in found if e["kind"] == "log"]
    assert any('"imagesPerSecond": 7817.0' in text for text in texts)
    assert len([e for e in found if e["kind"] == "samples"]) >= 3


def test_without_consent_the_box_itself_runs_nothing(here: LoadBox) -> None:
    here.says.says("ddp_resnet50-1", loads.ddp(1, 3935.0))
    found = here.box.run("checks", here.params("pytorch-ddp", consent=None, telemetry=None))
    assert {r["verdict"] for r in results(found).values()} == {"not_run"}
    assert "nobody agreed to the load" in results(found)["t2_ranks"]["reason"]
    assert not (here.says.folder / "calls").exists()


def test_a_cancel_leaves_nothing_of_a_busy_program(here: LoadBox) -> None:
    lines = [one for one in loads.soak(600.0) if one["at"] in ("card", "begin", "progress", "round")]
    here.says.says("soak", [*lines, {"do": "hang"}])
    folder = here.box.start("checks", here.params("stress", seconds=600))
    wait_until(
        "progress", lambda: [e for e in events(folder) if e["kind"] == "progress" and e["unit"] == "seconds"]
    )
    (folder / "control" / "cancel").touch()
    here.box.wait(folder, 60)
    found = validate(folder)
    assert found[-1]["outcome"] == "cancelled"
    wait_until("runner and supervisor gone", lambda: not processes_of(folder), 5)
    assert "t7_length" not in results(found)


def test_a_soak_whose_runner_was_killed_goes_on_in_the_next_attempt(here: LoadBox) -> None:
    lines = [one for one in loads.soak(600.0) if one["at"] in ("card", "begin")]
    counts = {"rounds": 9, "products": 40000, "checkedMiB": 9, "wrongProducts": 0, "wrongWords": 0}
    told = [line("progress", done=400.0, total=600.0), *(line("round", gpu=g, **counts) for g in range(2))]
    here.says.says("soak", [*lines, {"do": "wait", "seconds": 1.5}, *told, {"do": "hang"}])
    spec = here.box.spec("checks", here.params("stress", seconds=600))
    first = Path(here.box.launch(spec)["dir"])
    kept = first.parent / "soak.json"
    wait_until("a checkpoint", kept.exists)
    os.kill(next(e for e in events(first) if e["kind"] == "started")["pid"], signal.SIGKILL)
    wait_until("the end of all of it", lambda: not processes_of(first))
    here.says.says("soak", with_pause(loads.soak(200.0), 1.0))
    answer = here.box.launch({**spec, "attempt": 2})
    assert answer["ok"], answer
    found = results(here.box.wait(Path(answer["dir"]), 60))
    assert json.loads(here.says.calls()[-1][1])["seconds"] == 200
    length = found["t7_length"]
    assert length["verdict"] == "warn" and "10.0 min in 2 parts: 6.7 min and 3.3 min" in length["value"]
    assert found["t7_results"]["verdict"] == "pass"
    assert json.loads(kept.read_text())["parts"][0]["begin"] < time.monotonic()
