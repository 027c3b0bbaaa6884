"""T7: silent errors, cards that hang, heat that keeps rising, and a soak that was broken off and goes on."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from vcbox import checks
from vcbox.checks import frameworks_look, soak_look, window_look
from vcbox.checks.base import Result
from vcbox.telemetry import FIELDS

import loads
from loads import PROFILE, Environments, line, look, rows

T7 = checks.SUITES["stress"]
HOUR = 3600
RULES = {id for id in T7 if window_look.rules() is None and id.split("_")[1] in window_look.RULES}


@pytest.fixture
def environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environments:
    found = Environments(tmp_path / "venvs")
    monkeypatch.setattr(frameworks_look, "ROOT", tmp_path / "venvs")
    found.says("soak", loads.soak(HOUR))
    return found


def suite(seconds: int = HOUR, change: dict[str, Any] | None = None, **more: Any) -> dict[str, Result]:
    here = look(soak_seconds=float(seconds), **more)
    here.seen[("journalctl", "-k", "-b", "--no-pager", "-q")] = {
        "status": 0,
        "out": "NVRM: loaded",
        "err": "",
    }
    found = {}
    for id in [id for id in T7 if id != "t7_xid"]:
        module = checks.load(id)
        assert module
        raw = module.gather(here)
        part = raw["parts"][-1]
        if part["begin"] is not None and not part["rows"]:
            window = {"begin": part["begin"]}
            rows(window, seconds, **(change or {}))
            part.update(rows=window["rows"], end=window["end"])
        found[id] = module.judge(raw, PROFILE)
    return found


def test_a_soak_without_a_fault_passes(environments: Environments) -> None:
    found = suite()
    assert {id: r for id, r in found.items() if r.verdict != "pass" and id not in RULES} == {}
    assert found["t7_length"].value == "1.0 h" and found["t7_steady"].source
    # The load is made to draw the whole limit, and did.
    assert "power" in str(found["t7_power"].value)


def test_a_soak_that_does_not_draw_its_limit_is_found(environments: Environments) -> None:
    found = suite(change={"power__limit": 700, "power__draw": (690, 560)})["t7_power"]
    assert found.verdict == "fail" and "draws 0.80 of its 700 W" in str(found.value), found


def test_the_minute_from_which_temperatures_are_steady_is_told(environments: Environments) -> None:
    here = look(soak_seconds=float(HOUR))
    raw = soak_look.gather(here)
    window = {"begin": raw["parts"][-1]["begin"]}
    rows(window, HOUR)
    place = 2 + FIELDS.index("temperature.gpu")
    for row in window["rows"]:
        minute = (row[0] - window["begin"]) / 60
        # One card warms for a quarter of an hour, the other one from the start is what it is.
        row[place] = min(65.0, 35 + 2 * minute) if row[1] == 0 else 60
    raw["parts"][-1]["rows"] = window["rows"]
    module = checks.load("t7_steady")
    assert module
    found = module.judge(raw, PROFILE)
    assert found.verdict == "pass"
    assert found.value == "GPU 0 +0.0 K, GPU 1 +0.0 K; all steady from minute 14 on"
    assert "GPU 0: hottest minute 65.0 °C; from minute 14 on within 2 K of 65.0 °C" in str(found.evidence)
    assert "GPU 1: hottest minute 60.0 °C; from minute 0 on" in str(found.evidence)
    name, argument, _ = environments.calls()[0]
    assert name == "soak" and json.loads(argument)["seconds"] == HOUR


def hung(e: Environments) -> None:
    lines = [r for r in loads.soak(HOUR) if r["at"] in ("card", "begin", "progress", "round")]
    failed = line("failed", gpu=1, rounds=50, products=60000, checkedMiB=1, wrongProducts=0, wrongWords=0)
    e.says(
        "soak",
        [*lines, failed | {"why": "no round for 120 s", "hung": True}],
        4,
        "GPU 1: no round for 120 s\n",
    )


FAULTS: list[tuple[str, Any, dict[str, Any], str, str]] = [
    (
        "silent errors",
        lambda e: e.says("soak", loads.soak(HOUR, wrongProducts=2)),
        {},
        "t7_results",
        "GPU 1: 2 products",
    ),
    (
        "memory forgets",
        lambda e: e.says("soak", loads.soak(HOUR, wrongWords=9)),
        {},
        "t7_results",
        "9 words wrong",
    ),
    ("a card hangs", hung, {}, "t7_length", "GPU 1: no round for 120 s"),
    ("too short", lambda e: e.says("soak", loads.soak(HOUR / 2)), {}, "t7_length", "30.0 min"),
]


@pytest.mark.parametrize(
    ("plant", "change", "id", "word"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_a_fault_is_found_and_named(
    environments: Environments, plant: Any, change: dict[str, Any], id: str, word: str
) -> None:
    plant(environments)
    found = suite(change=change)[id]
    assert found.verdict == "fail" and word in str(found.value), found
    assert found.next and found.threshold


def test_heat_that_keeps_rising_is_found(environments: Environments) -> None:
    here = look(soak_seconds=float(HOUR))
    raw = soak_look.gather(here)
    window = {"begin": raw["parts"][-1]["begin"]}
    rows(window, HOUR)
    place = 2 + FIELDS.index("temperature.gpu")
    for row in window["rows"]:
        # Half a degree a minute on the second card.
        row[place] = 50.02 + (row[0] - window["begin"]) / 120 if row[1] else 60
    raw["parts"][-1]["rows"] = window["rows"]
    module = checks.load("t7_steady")
    assert module
    found = module.judge(raw, PROFILE)
    assert found.verdict == "fail" and found.value == "GPU 0 +0.0 K, GPU 1 +5.0 K"
    assert "GPU 1: hottest minute 79.8 °C; never steady" in str(found.evidence)
    raw["parts"][-1]["rows"] = [r for r in window["rows"] if r[0] < window["begin"] + 300]
    short = module.judge(raw, PROFILE)
    assert short.verdict == "not_run" and "20 min" in str(short.reason)


def test_an_xid_during_the_soak_is_found(environments: Environments, monkeypatch: pytest.MonkeyPatch) -> None:
    log = "NVRM: Xid (PCI:0000:00:07): 79, pid=4711, GPU has fallen off the bus."
    xml = (loads.H100 / "q-idle.xml").read_text()

    def command(self: Any, *argv: str, timeout: float = 30.0) -> dict[str, Any]:
        return {"status": 0, "out": xml if argv[0] == "nvidia-smi" else log, "err": ""}

    monkeypatch.setattr(loads.Look, "command", command)
    module = checks.load("t7_xid")
    assert module
    found = module.judge(module.gather(look(soak_seconds=60.0)), PROFILE)
    assert found.verdict == "fail" and "Xid 79" in str(found.value)


def job(folder: Path, attempt: int) -> Any:
    """As much of a job's hands as the checkpoint needs."""
    here = folder / str(attempt)
    here.mkdir(parents=True, exist_ok=True)
    return SimpleNamespace(ctx=SimpleNamespace(folder=here, spec={"attempt": attempt}))


def samples(folder: Path, attempt: int, begin: float, seconds: int, **change: Any) -> None:
    """The event log of an attempt that was cut off: whole lines, and a torn one."""
    window = {"begin": begin}
    rows(window, seconds, **change)
    event = {"kind": "samples", "source": "gpu", "fields": list(FIELDS), "rows": window["rows"]}
    text = json.dumps(event, separators=(",", ":"))
    (folder / str(attempt) / "events.jsonl").write_text(f"{text}\n{text[:100]}")


def test_a_soak_that_was_broken_off_goes_on_and_says_so(environments: Environments, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    began = [r for r in loads.soak(HOUR) if r["at"] in ("card", "begin")]
    progress = line("progress", done=2400.0, total=HOUR)
    counts = {"rounds": 9, "products": 40000, "checkedMiB": 9, "wrongProducts": 0, "wrongWords": 0}
    told = [line("round", gpu=0, **counts), line("round", gpu=1, **{**counts, "wrongProducts": 1})]
    environments.says("soak", [*began, progress, *told], -9)
    first = look(soak_seconds=float(HOUR), hands=job(folder, 1))
    soak_look.gather(first)
    kept = json.loads((folder / "soak.json").read_text())
    assert kept["parts"][0]["seconds"] == 2400 and kept["parts"][0]["cards"]["1"]["wrongProducts"] == 1
    samples(folder, 1, kept["parts"][0]["begin"], 0)
    part = kept["parts"][0]
    part["begin"], part["end"] = 100.0, 2500.0
    (folder / "soak.json").write_text(json.dumps(kept))
    samples(folder, 1, 100.0, 2400)
    environments.says("soak", loads.soak(1200.0))
    second = look(soak_seconds=float(HOUR), hands=job(folder, 2))
    raw = soak_look.gather(second)
    assert json.loads(environments.calls()[-1][1])["seconds"] == 1200
    assert len(raw["parts"][0]["rows"]) == 2 * 2400
    length, results = checks.load("t7_length"), checks.load("t7_results")
    assert length and results
    found = length.judge(raw, PROFILE)
    assert found.verdict == "warn" and "1.0 h in 2 parts: 40.0 min and 20.0 min" in str(found.value)
    # What was wrong before the break is still wrong.
    assert results.judge(raw, PROFILE).verdict == "fail"


def test_a_torn_checkpoint_is_none(tmp_path: Path) -> None:
    (tmp_path / "soak.json").write_text('{"parts": [{"atte')
    assert soak_look.Checkpoint(tmp_path / "soak.json", 2).done() == 0
