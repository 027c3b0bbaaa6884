"""GPU memory at a job's beginning and after its cancel, with the rig's stand-in for nvidia-smi and with one that hangs."""

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from vcbox import gpumemory

from conftest import FIXTURES, REPO, SOURCE


class Card:
    """A box with the stand-in for nvidia-smi; a process of its own holds memory."""

    def __init__(self, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.held = base / "held"
        self.tool = base / "bin" / "nvidia-smi"
        self.held.mkdir()
        self.tool.parent.mkdir()
        self.tool.symlink_to(REPO / "tests" / "rig" / "standin" / "nvidia_smi.py")
        monkeypatch.setenv("PATH", f"{self.tool.parent}:{os.environ['PATH']}")
        monkeypatch.setenv("STAND_IN_DATA", str(FIXTURES / "nvidia-smi-2xh100"))
        monkeypatch.setenv("STAND_IN_SWITCH", str(base / "switch"))
        monkeypatch.setenv("STAND_IN_HELD", str(self.held))
        self.holder: subprocess.Popen[bytes] | None = None

    def hold(self, text: str) -> None:
        self.holder = subprocess.Popen(["sleep", "60"])
        (self.held / str(self.holder.pid)).write_text(text)

    def let_go(self) -> None:
        if self.holder:
            self.holder.kill()
            self.holder.wait()

    def becomes(self, script: str) -> None:
        self.tool.unlink()
        self.tool.write_text(f"#!/bin/sh\n{script}\n")
        self.tool.chmod(0o755)


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Card]:
    found = Card(tmp_path, monkeypatch)
    yield found
    found.let_go()


def test_memory_that_comes_back_is_waited_for(card: Card) -> None:
    baseline = gpumemory.Reading()
    assert baseline.answer(10) == {"0": 0, "1": 0}
    card.hold("1 4096\n")
    timer = threading.Timer(1.0, card.let_go)
    begin = time.monotonic()
    timer.start()
    said = gpumemory.wait_for(baseline, 20)
    assert said == "GPU memory is back at its baseline: GPU 0 0 MiB, GPU 1 0 MiB"
    assert time.monotonic() - begin >= 1.0


def test_what_was_held_before_the_job_is_its_baseline(card: Card) -> None:
    card.hold("0 700\n")
    baseline = gpumemory.Reading()
    assert baseline.answer(10) == {"0": 700, "1": 0}
    assert "back at its baseline: GPU 0 700 MiB" in gpumemory.wait_for(baseline, 5)


def test_memory_that_stays_is_named_with_its_card(card: Card) -> None:
    baseline = gpumemory.Reading()
    baseline.answer(10)
    card.hold("1 4096\n")
    said = gpumemory.wait_for(baseline, 0.5)
    assert "not back after 0.5 s: GPU 1 4096 MiB; it was GPU 1 0 MiB" in said


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exec sleep 60", r"did not answer within 1 s"),
        ("echo 'No devices were found'; exit 6", r"nvidia-smi: No devices were found"),
        ("echo '0, [N/A]'", r"nvidia-smi: 0, \[N/A\]"),
        (":", r"nvidia-smi: status 0"),
    ],
)
def test_an_nvidia_smi_without_an_answer_is_no_measurement(card: Card, script: str, why: str) -> None:
    card.becomes(script)
    said = gpumemory.wait_for(gpumemory.Reading(), 2)
    assert re.search(f"was not measured when the job began: .*{why}", said)


def test_a_box_without_nvidia_smi_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "this box has no nvidia-smi" in gpumemory.wait_for(gpumemory.Reading(), 1)


def test_every_container_that_a_job_starts_has_its_label() -> None:
    """A cancel finds them by it (supervisor.py)."""
    found = []
    for path in sorted((SOURCE / "vcbox").rglob("*.py")):
        text = path.read_text()
        for match in re.finditer(r"""["']docker["'], ["'](?:run|create)["']""", text):
            found.append(path.name)
            assert 'vault-cube.job={look.job}"' in text[match.start() : match.start() + 300], path.name
    assert found
    roles = [p for p in (REPO / "ansible").rglob("*") if p.suffix in (".yml", ".j2", ".py", ".sh")]
    unlabelled = [p.name for p in roles if re.search(r"docker[_ ,]+(run|create|container)\b", p.read_text())]
    assert unlabelled == []
