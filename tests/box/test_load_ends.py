"""Programs that never start, or that end in the middle: no check of a load suite breaks over it, and none passes for want of numbers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from vcbox import checks, load, process
from vcbox.checks import frameworks_look, vllm_look
from vcbox.checks.base import Look, run_check

import loads
from loads import PROFILE, Ctx, Environments, Line, line, look, rows

SUITES = ("pytorch-ddp", "tensorflow", "vllm", "docker-gpu", "performance", "stress")
SOAK = 3600.0


def serving() -> list[Line]:
    """What vllm_serve.py prints with the profile's beginnings."""
    prompts = PROFILE["load"]["vllm"]["prompts"]["value"]
    out = [
        line("beat", phase="start"),
        line("model", model="mistral-7b", architecture="M", weights="trained"),
    ]
    out.append(line("ready", seconds=30.0))
    for number, one in enumerate(prompts):
        out.append(line("answer", number=number, text=one["expect"][0], right=True, **one))
    for kind in ("single", "batch"):
        out += [line("begin", window=f"vllm-{kind}"), line("end", window=f"vllm-{kind}")]
        numbers = {"requests": 1, "tokens": 128, "seconds": 2.0, "tokensPerSecond": 64.0, "failed": []}
        out.append(line("measured", what="tokens", kind=kind, **numbers))
    return [*out, line("done")]


PROGRAMS: dict[str, Callable[[], list[Line]]] = {
    "ddp_resnet50-1": lambda: loads.ddp(1, 3935.0),
    "ddp_resnet50-2": lambda: loads.ddp(2, 7817.0),
    "bench_gpu": loads.bench,
    "vram_test": loads.vram,
    "tf_ops": loads.tensorflow,
    "vllm_serve": serving,
    "soak": lambda: loads.soak(SOAK),
}


@pytest.fixture
def environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environments:
    """Two healthy H100 with a model, whose programs print what they should."""
    found = Environments(tmp_path / "venvs")
    monkeypatch.setattr(frameworks_look, "ROOT", found.folder)
    model = tmp_path / "models" / "mistral-7b"
    model.mkdir(parents=True)
    (model / "config.json").write_text(json.dumps({"num_attention_heads": 32}))
    monkeypatch.setattr(vllm_look, "MODELS", (tmp_path / "none", model.parent))
    for name, lines in PROGRAMS.items():
        found.says(name, lines())
    return found


@pytest.fixture(autouse=True)
def eyes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards and kernel log are healthy, also for a check that looks again."""
    xml = (loads.H100 / "q-idle.xml").read_text()
    real = Look.run

    def run(self: Look, argv: tuple[str, ...], timeout: float) -> tuple[int, str, str]:
        if argv[0] == "docker":
            return real(self, argv, timeout)
        return 0, "NVRM: loading NVIDIA UNIX Open Kernel Module" if argv[0] == "journalctl" else xml, ""

    monkeypatch.setattr(Look, "run", run)


def here(**more: Any) -> Look:
    return look(soak_seconds=SOAK, **more)


def judged(ids: list[str], at: Look) -> dict[str, dict[str, Any]]:
    """All checks on one look, as the runner asks them, with telemetry of every window that was begun."""
    for id in ids:
        module = checks.load(id)
        assert module
        run_check(module, at, PROFILE)
    for place, raw in at.seen.items():
        if not (isinstance(place, tuple) and place[0] == "load"):
            continue
        for run in (raw.get("runs") or {"": raw.get("run") or {"windows": {}}}).values():
            for window in run["windows"].values():
                end = window["end"]
                rows(window, 120)
                window["end"] = end and window["end"]
        for part in raw.get("parts", []):
            if part["begin"] is not None:
                window = {"begin": part["begin"]}
                rows(window, int(part["seconds"]))
                part.update(rows=window["rows"], end=window["end"])
    found = {}
    for id in ids:
        module = checks.load(id)
        assert module
        found[id] = run_check(module, at, PROFILE)
    return found


def broke(found: dict[str, dict[str, Any]]) -> list[Any]:
    """Checks that failed themselves: an exception, or an end that nobody foresaw."""
    return [(id, r["reason"]) for id, r in found.items() if r["verdict"] == "error"]


def no_python(e: Environments) -> None:
    for name in ("torch", "tensorflow", "vllm"):
        (e.folder / name / "bin" / "python").unlink()


def shell(e: Environments, text: str) -> None:
    for name in ("torch", "tensorflow", "vllm"):
        (e.folder / name / "bin" / "python").write_text(f"#!/bin/sh\n{text}\n")


# As `runuser` ends where the command is not there.
SAID = "runuser: failed to execute /opt/venvs/torch/bin/python: No such file or directory"
NEVER_STARTED: dict[str, Callable[[Environments], None]] = {
    "no python": no_python,
    "not executable": lambda e: (
        [(e.folder / n / "bin/python").chmod(0o644) for n in ("torch", "vllm", "tensorflow")] and None
    ),
    "ends with 127 at once": lambda e: shell(e, f"echo '{SAID}' >&2; exit 127"),
    # What the kernel shows of any process for a moment at its end: pipes and environment are gone, and nobody can be told of it yet.
    "pipes and environment go first": lambda e: shell(
        e, "exec env -i /bin/sh -c 'exec >&- 2>&-; sleep 0.4; exit 127'"
    ),
    "ends with 0 and not a word": lambda e: shell(e, "exit 0"),
    "is killed at once": lambda e: shell(e, "kill -9 $$"),
    "imports nothing": lambda e: shell(
        e, "echo \"ModuleNotFoundError: No module named 'torch'\" >&2; exit 1"
    ),
}


@pytest.mark.parametrize("how", NEVER_STARTED)
def test_of_a_program_that_never_started_nothing_passes_and_nothing_breaks(
    environments: Environments, how: str
) -> None:
    NEVER_STARTED[how](environments)
    for suite in SUITES:
        if suite == "docker-gpu":
            continue
        found = judged(checks.SUITES[suite], here())
        assert broke(found) == []
        assert {id: r["verdict"] for id, r in found.items() if r["verdict"] not in ("not_run", "fail")} == {}
        told = [r["reason"] if r["verdict"] == "not_run" else r["value"] for r in found.values()]
        assert all(told), found
    scaling = judged(["t6_scaling"], here())["t6_scaling"]
    assert scaling["verdict"] == "not_run" and "the run on 1 of 2 GPUs failed: " in scaling["reason"]


def test_the_status_of_an_end_is_waited_for() -> None:
    command = ["/bin/sh", "-c", "exec env -i /bin/sh -c 'exec >&- 2>&-; sleep 0.4; exit 127'"]
    found = load.Bench(Ctx(), None, None).run(load.Program(command, (5.0, "")))
    assert (found["status"], found["why"], found["hung"]) == (127, "it ended with 127", False)


def test_a_program_that_wrote_over_its_mark_is_ended_all_the_same() -> None:
    command = ["/bin/sh", "-c", "exec env -i /bin/sh -c 'exec >&- 2>&-; exec sleep 600'"]
    found = load.Bench(Ctx(), None, None).run(load.Program(command, (5.0, "")))
    assert (found["status"], found["why"]) == (-15, "it was killed by signal 15")


def cuts() -> list[tuple[str, str, int]]:
    """Every place in every program's lines where it can end, by the suite that runs it."""
    of = {
        "pytorch-ddp": ("ddp_resnet50-1", "ddp_resnet50-2"),
        "tensorflow": ("tf_ops",),
        "vllm": ("vllm_serve",),
        "performance": ("ddp_resnet50-1", "ddp_resnet50-2", "bench_gpu", "vram_test", "vllm_serve"),
        "stress": ("soak",),
    }
    return [(s, name, at) for s, names in of.items() for name in names for at in range(len(PROGRAMS[name]()))]


class Printed:
    """Runs of load programs without processes: each tells its lines, cut where it died. As load.Bench answers them."""

    def __init__(self, died: str, at: int) -> None:
        self.died, self.at = died, at
        self.refused, self.telemetry, self.ctx = None, None, Ctx()

    def run(self, program: load.Program, on_record: Any = None, step_seconds: float = 0.0) -> dict[str, Any]:
        words = list(program.argv)
        name = next(Path(w).stem for w in words if w.endswith(".py"))
        if "--nproc-per-node" in words:
            name += "-" + words[words.index("--nproc-per-node") + 1]
        run = load.Run(self.ctx, program, on_record)
        dies = name == self.died
        for one in PROGRAMS[name]()[: self.at if dies else None]:
            run.record(dict(one))
        windows = {n: {"begin": w["begin"], "end": w.get("end"), "rows": []} for n, w in run.windows.items()}
        ended = {
            "status": 1 if dies else 0,
            "why": "it was killed by signal 9" if dies else None,
            "hung": False,
        }
        return {
            **ended,
            "records": run.records,
            "windows": windows,
            "fields": list(loads.FIELDS),
            "text": "",
            "torn": 0,
        }


def died(suite: str, name: str, at: int) -> dict[str, dict[str, Any]]:
    found = here()
    found.bench = Printed(name, at)
    return judged(checks.SUITES[suite], found)


# Who answers for a program's end: it passes for none that died, wherever that was.
ENDS = {"pytorch-ddp": "t2_ranks", "vllm": "t4_loads", "stress": "t7_length"}


@pytest.mark.parametrize("suite", [s for s in SUITES if s != "docker-gpu"])
def test_of_a_program_that_died_only_what_it_had_measured_whole_passes(
    environments: Environments, suite: str
) -> None:
    healthy = died(suite, "none", 0)
    assert broke(healthy) == []
    assert {r["verdict"] for r in healthy.values()} <= {"pass", "not_supported"}, healthy
    for _, name, at in [cut for cut in cuts() if cut[0] == suite]:
        found = died(suite, name, at)
        assert broke(found) == [], (name, at)
        passed = {id: r["value"] for id, r in found.items() if r["verdict"] == "pass"}
        assert passed.items() <= {id: r["value"] for id, r in healthy.items()}.items(), (name, at)
        if suite in ENDS:
            assert found[ENDS[suite]]["verdict"] == "fail", (name, at)
        if suite == "stress":
            assert passed == {}, at
        # Of the most memory in use nothing is known before the last request is served.
        assert "t4_memory" not in passed, at


def test_of_a_program_that_died_at_work_nothing_of_the_suite_passes(environments: Environments) -> None:
    """The first window is open: nothing is measured yet."""
    for suite, name in (("pytorch-ddp", "ddp_resnet50-1"), ("vllm", "vllm_serve"), ("stress", "soak")):
        lines = PROGRAMS[name]()
        at = next(n for n, one in enumerate(lines) if one["at"] == "begin") + 1
        passed = {id for id, r in died(suite, name, at).items() if r["verdict"] == "pass"}
        assert passed <= {"t4_output"}


DOCKER = """#!/bin/sh
case "$1" in
image) echo ubuntu:24.04 ;;
run) {run} ;;
*) {rest} ;;
esac
"""


@pytest.mark.parametrize(
    ("run", "rest"),
    [
        ("echo 'exec: nvidia-smi: not found' >&2; exit 127", "exit 1"),
        ("kill -9 $$", "exit 1"),
        ("echo c0", "echo 'No such container' >&2; exit 1"),
        ("echo c0", "kill -9 $$"),
        ("echo c0; rm -f $0", "exit 1"),
    ],
    ids=[
        "never starts",
        "docker is killed",
        "containers are gone",
        "docker dies meanwhile",
        "docker vanishes",
    ],
)
def test_containers_that_never_start_or_die_pass_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: str, rest: str
) -> None:
    from vcbox.checks import docker_look

    monkeypatch.setitem(process.CLEAN_ENV, "PATH", f"{tmp_path}:{process.CLEAN_ENV['PATH']}")
    monkeypatch.setattr(docker_look, "WAIT_SECONDS", 0.6)
    command = tmp_path / "docker"
    command.write_text(DOCKER.format(run=run, rest=rest))
    command.chmod(0o755)
    found = judged(checks.SUITES["docker-gpu"], here(job="job-1"))
    assert broke(found) == []
    assert {r["verdict"] for r in found.values()} <= {"fail", "not_run"}, found
