"""Layer 5 on the box: monitor.sh's table, suites run by hand, their outcome, and the checks of the layer."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from vcbox import byhand, checks, monitor, outcome, selfrun
from vcbox.checks import l5_commands
from vcbox.checks.base import Result

from conftest import FIXTURES, REPO, SOURCE
from items import assert_item, judged

STAND_IN = REPO / "tests" / "rig" / "standin" / "nvidia_smi.py"
H100 = FIXTURES / "nvidia-smi-2xh100"
PROFILE = json.loads((REPO / "resources" / "profiles" / "two-h100.json").read_text())
MAIN = SOURCE / "vcbox" / "__main__.py"
MEMINFO = "MemTotal:       263998644 kB\nMemFree:        1 kB\nMemAvailable:   236163072 kB\n"
CARD = "0, GPU-1, NVIDIA H100 80GB HBM3, 97, 1024, 81559, 61, 612.52, 700.00, 1980, [N/A], 5, 16"
CPU = {"percent": 12.5, "processors": 32, "load": [1.0, 0.5, 0.25]}


def seen(count: int = 2, **change: Any) -> dict[str, Any]:
    gpus = [{**monitor.parse_gpus(CARD)[0], "index": n} for n in range(count)]
    found = {
        "cpu": CPU,
        "memory": monitor.parse_meminfo(MEMINFO),
        "gpus": gpus,
        "gpuError": None,
        "evidence": "real",
    }
    return {**found, **change}


def ran(out: str = "", status: int = 0, err: str = "") -> dict[str, Any]:
    return {"status": status, "out": out, "err": err}


def judge(id: str, raw: Any, profile: dict[str, Any] = PROFILE) -> Result:
    return judged(id, raw, profile)


# What is read.


def test_the_kernels_numbers() -> None:
    assert monitor.parse_stat("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2\n") == (150, 1000)
    assert monitor.parse_meminfo(MEMINFO) == {"totalMiB": 257811, "usedMiB": 257811 - 230628}


def test_a_card_that_tells_little() -> None:
    found = monitor.parse_gpus(CARD + "\n\nnot a row\n")
    assert len(found) == 1
    assert (
        found[0]["utilization.gpu"] == 97
        and found[0]["power.draw"] == 612.52
        and found[0]["fan.speed"] is None
    )


# What is drawn.


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("height", [5, 8, 24])
def test_the_table_fits_the_terminal(width: int, height: int) -> None:
    lines = monitor.draw(seen(4), width, height)
    assert all(len(line) <= width for line in lines)
    rows = [line for line in lines if re.match(r" {1,2}\d", line)]
    assert len(rows) == min(4, max(height - 6, 1)) and len(lines) <= max(height, 7)
    assert any("more" in line for line in lines) == (len(rows) < 4)


def test_a_wide_table_shows_everything() -> None:
    text = "\n".join(monitor.draw(seen(1), 120, 24))
    for word in (
        "97",
        "1024 / 81559",
        "61",
        "613 / 700",
        "1980",
        "5 x16",
        "NVIDIA H100",
        "12 % of 32",
        "27183 / 257811",
    ):
        assert word in text, word
    assert "stand-in" not in text


def test_what_is_stand_in_or_missing_is_said() -> None:
    text = "\n".join(monitor.draw(seen(0, gpuError="No devices were found", evidence="stand-in"), 100, 24))
    assert "[stand-in]" in text and "no GPU is told of: No devices were found" in text


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """One in which nvidia-smi is the stand-in; the checks' own clean PATH leads there, too."""
    bin = tmp_path / "bin"
    bin.mkdir()
    script = f'#!/bin/sh\nSTAND_IN_DATA={H100} STAND_IN_SWITCH={tmp_path}/switch exec {sys.executable} -I -B {STAND_IN} "$@"\n'
    (bin / "nvidia-smi").write_text(script)
    (bin / "nvidia-smi").chmod(0o755)
    monkeypatch.setattr(monitor, "capture", lambda argv, seconds: captured(argv, bin))
    return {**os.environ, "PATH": f"{bin}:{os.environ['PATH']}"}


def captured(argv: list[str], bin: Path) -> tuple[int, str, str]:
    done = subprocess.run([str(bin / argv[0]), *argv[1:]], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_what_is_shown_is_what_nvidia_smi_tells(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert monitor.main(["--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    query = ["nvidia-smi", f"--query-gpu={','.join(monitor.FIELDS)}", "--format=csv,noheader,nounits"]
    told = subprocess.run(query, env=environment, capture_output=True, text=True, check=True).stdout
    assert shown["gpus"] == monitor.parse_gpus(told) and len(shown["gpus"]) == 2
    raw = {
        "before": ran(told),
        "shown": ran(json.dumps(shown)),
        "after": ran(told),
        "meminfo": Path("/proc/meminfo").read_text(),
    }
    assert judge("l5_monitor", raw).verdict == "pass"
    monkeypatch.setenv("COLUMNS", "120")
    assert monitor.main(["--once"]) == 0
    assert capsys.readouterr().out.count("NVIDIA H100 80GB HBM3") == 2


def test_on_a_terminal_it_draws_until_q_and_leaves_the_terminal_as_it_was() -> None:
    """The real program in a terminal of its own; without nvidia-smi it says so and goes on."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-I", "-B", str(MAIN), "monitor", "--interval", "0.2"])
    text, deadline = b"", time.monotonic() + 20
    try:
        while text.count(b"\x1b[H") < 3 and time.monotonic() < deadline:
            if select.select([terminal], [], [], 0.5)[0]:
                text += os.read(terminal, 65536)
        os.write(terminal, b"q")
        while b"\x1b[?1049l" not in text and time.monotonic() < deadline:
            text += os.read(terminal, 65536)
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert (
        text.startswith(b"\x1b[?1049h")
        and text.count(b"\x1b[H") >= 3
        and b"Memory" in text
        and b"\x1b[?25h" in text
    )


# Suites by hand.


def test_outcomes_are_decided_as_the_app_does() -> None:
    table = json.loads((FIXTURES / "outcomes.json").read_text())
    for case in table["cases"]:
        given = [(verdict, table["expectations"][at]) for verdict, at in case["checks"]]
        assert outcome.decide(given) == case["outcome"], case
    assert {case["outcome"] for case in table["cases"]} == set(outcome.EXIT_CODES)


def test_a_stand_in_box_has_expectations_of_its_own() -> None:
    profile = {
        "expectations": {"a": {"kind": "informative"}},
        "standInExpectations": {"a": {"kind": "expected"}},
    }
    assert outcome.expectation_of(profile, "a", "real")["kind"] == "informative"
    assert outcome.expectation_of(profile, "a", "stand-in")["kind"] == "expected"
    assert outcome.expectation_of(profile, "b", "real")["kind"] == "required"


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({}, 0, "passed"),
        ({"gpu_name": ("fail", "required")}, 20, "failed"),
        ({"gpu_name": ("fail", "informative")}, 0, "passed"),
        ({"gpu_xid": ("not_run", "required")}, 21, "incomplete"),
        ({"gpu_xid": ("warn", "required")}, 10, "passed with deviations"),
        ({"gpu_xid": ("error", "required")}, 20, "failed"),
    ],
)
def test_a_suite_by_hand_ends_with_its_outcome(
    change: dict[str, tuple[str, str]],
    code: int,
    word: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def result(module: Any, look: Any, profile: Any) -> dict[str, Any]:
        verdict = change.get(module.ID, ("pass", ""))[0]
        rest = dict.fromkeys(("value", "unit", "threshold", "source", "nextAction", "evidence"))
        return {"id": module.ID, "title": module.TITLE, "verdict": verdict, "reason": "why", **rest}

    profile = {"expectations": {id: {"kind": kind} for id, (_, kind) in change.items()}}
    (tmp_path / "profile.json").write_text(json.dumps(profile))
    read_profile = selfrun.read_profile
    monkeypatch.setattr(selfrun, "read_profile", lambda: read_profile(tmp_path / "profile.json"))
    monkeypatch.setattr(selfrun, "run_check", result)
    assert selfrun.main(["gpu-detection"]) == code
    said = capsys.readouterr().out
    assert f"T1 GPU detection: {word}" in said.splitlines()[-1]
    assert len(said.splitlines()) >= len(checks.SUITES["gpu-detection"]) + 2


@pytest.mark.parametrize("suite", ["pytorch-ddp", "stress"])
def test_load_waits_for_somebody_who_agrees(suite: str) -> None:
    """Without a terminal nobody is asked, and nothing runs; no suite passes by that."""
    command = [sys.executable, "-I", "-B", str(MAIN), "test", suite]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 21
    assert "incomplete: nobody agreed to the load: --yes does" in done.stdout
    told = subprocess.run(
        [*command, "--json"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert told.returncode == 21
    last = json.loads(told.stdout.splitlines()[-1])
    assert last["outcome"] == "incomplete" and "nobody agreed" in last["reason"]


def test_what_is_asked_names_watts_and_time() -> None:
    cube = json.loads((REPO / "resources" / "profiles" / "vault-cube.json").read_text())
    asked = [selfrun.question(suite, cube, None) for suite in ("pytorch-ddp", "stress", "docker-gpu")]
    assert asked[0] == "T2 PyTorch DDP loads all GPUs: the box draws up to 2750 W for about 10 minutes."
    assert asked[1] and "1440 minutes" in asked[1]
    assert asked[2] is None
    soak = selfrun.question("stress", PROFILE, 120.0)
    assert soak and "up to 1400 W for about 2 minutes" in soak
    assert byhand.agreed("…", yes=True) is None


def test_a_suite_that_nobody_knows_is_a_wrong_call() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-B", str(MAIN), "test", "x"], capture_output=True, check=False
    )
    assert done.returncode == 2


def test_every_suite_of_this_version_can_be_called_by_hand() -> None:
    assert set(l5_commands.COMMANDS.values()) == set(selfrun.KNOWN)
    assert "gpu-detection" in checks.SUITES


# The checks of the layer.


def listed(suite: str) -> dict[str, Any]:
    return ran(
        json.dumps(
            {"suite": suite, "built": False, "checks": dict.fromkeys(checks.SUITES.get(suite, []), "x")}
        )
    )


COMMANDS = {"told": {name: listed(suite) for name, suite in l5_commands.COMMANDS.items()}, "open": []}
DEMOS = {
    "told": {
        n: ran(f'a framework says hello\n{{"demo": "{n}", "version": "1", "gpus": 2}}\n')
        for n in ("pytorch", "tensorflow", "vllm")
    },
    "missing": [],
    "open": [],
    "unplaced": [],
}
MONITOR = {"before": ran(CARD), "shown": ran(json.dumps(seen(1))), "after": ran(CARD), "meminfo": MEMINFO}


def command(told: dict[str, Any]) -> dict[str, Any]:
    return {**COMMANDS, "told": {**COMMANDS["told"], "vault-cube-test-gpu": told}}


def shown(**change: Any) -> dict[str, Any]:
    return {**MONITOR, "shown": ran(json.dumps({**seen(1), **change}))}


TABLE: list[tuple[str, Any, Any, str]] = [
    (
        "l5_tools",
        {"htop": ran("htop 3\n"), "nvtop": ran("nvtop 3\n")},
        {"htop": ran("htop 3\n"), "nvtop": ran("", 127, "no file")},
        "nvtop: no file",
    ),
    ("l5_commands", COMMANDS, command(ran("", 127, "No such file")), "vault-cube-test-gpu: No such file"),
    ("l5_commands", COMMANDS, command(listed("stress")), "it runs stress, not gpu-detection"),
    ("l5_commands", COMMANDS, command(ran('{"suite": "gpu-detection", "checks": {}}')), "other checks"),
    ("l5_commands", COMMANDS, command(ran("passed")), "it printed"),
    (
        "l5_commands",
        COMMANDS,
        {**COMMANDS, "open": ["vault-cube-test-ddp"]},
        "vault-cube-test-ddp: not root's alone",
    ),
    ("l5_profile", {"text": json.dumps(PROFILE)}, {"text": None}, "there is no"),
    ("l5_profile", {"text": json.dumps(PROFILE)}, {"text": '{"id": "x"}'}, "holds x"),
    ("l5_profile", {"text": json.dumps(PROFILE)}, {"text": json.dumps({**PROFILE, "v": 2})}, "another one"),
    ("l5_profile", {"text": json.dumps(PROFILE)}, {"text": "{"}, "no JSON"),
    ("l5_monitor", MONITOR, {**MONITOR, "shown": ran("", 1, "Traceback")}, "Traceback"),
    ("l5_monitor", MONITOR, {**MONITOR, "shown": ran("{}")}, "does not print what it should"),
    ("l5_monitor", MONITOR, shown(gpus=[]), "0 GPUs, nvidia-smi 1"),
    ("l5_monitor", MONITOR, shown(gpus=[{**seen(1)["gpus"][0], "memory.total": 1}]), "memory.total: 1"),
    (
        "l5_monitor",
        MONITOR,
        shown(gpus=[{**seen(1)["gpus"][0], "temperature.gpu": 90}]),
        "temperature.gpu: 90",
    ),
    ("l5_monitor", MONITOR, shown(memory={"totalMiB": 1, "usedMiB": 1}), "memory 1 MiB"),
    ("l5_monitor", MONITOR, shown(cpu={**CPU, "percent": 120}), "CPU 120"),
    (
        "l5_monitor",
        MONITOR,
        {**shown(gpus=[], gpuError="No devices"), "before": ran("", 6), "after": ran("", 6)},
        "No devices",
    ),
    ("l5_demos", DEMOS, {**DEMOS, "missing": ["README.md"]}, "README.md"),
    ("l5_demos", DEMOS, {**DEMOS, "open": ["vllm_demo.py"]}, "vllm_demo.py: not root's alone"),
    ("l5_demos", DEMOS, {**DEMOS, "unplaced": ["m/config.json"]}, "models/m/config.json: not as"),
    (
        "l5_demos",
        DEMOS,
        {**DEMOS, "told": {**DEMOS["told"], "vllm": ran("", 1, "ModuleNotFoundError: vllm")}},
        "vllm: ModuleNotFoundError",
    ),
    ("l5_demos", DEMOS, {**DEMOS, "told": {**DEMOS["told"], "vllm": ran("hello")}}, "vllm: hello"),
]


@pytest.mark.parametrize(("id", "good", "bad", "word"), TABLE)
def test_each_item(id: str, good: Any, bad: Any, word: str) -> None:
    assert_item(judge, id, good, bad, word)


def test_every_check_of_layer_5_is_in_the_table() -> None:
    assert {row[0] for row in TABLE} == set(checks.LAYER_CHECKS[5])


def test_what_moves_may_move_a_little() -> None:
    warmer = CARD.replace(" 61,", " 63,")
    raw = {
        **MONITOR,
        "after": ran(warmer),
        "shown": ran(json.dumps(seen(1, gpus=monitor.parse_gpus(CARD.replace(" 61,", " 65,"))))),
    }
    assert judge("l5_monitor", raw).verdict == "pass"
