"""How a load program is run: its lines, its windows beside telemetry, its hanging, its end and what it leaves behind."""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from vcbox import load
from vcbox.context import Cancelled
from vcbox.telemetry import FIELDS, Recording, Telemetry

from conftest import wait_until
from loads import Ctx
from test_telemetry import REPLAY, as_asked

SAY = "import json, os, sys, time\ndef say(**f): print(json.dumps(f), flush=True)\n"


def program(body: str, silence: float = 30.0) -> load.Program:
    return load.Program([sys.executable, "-I", "-c", SAY + body], (silence, "the test's own limit"))


def run(
    body: str, silence: float = 30.0, ctx: Ctx | None = None, telemetry: Telemetry | None = None
) -> dict[str, Any]:
    return load.Bench(ctx or Ctx(), telemetry, None).run(program(body, silence))


def test_lines_are_records_and_everything_else_is_evidence(tmp_path: Path) -> None:
    ctx = Ctx()
    ctx.folder = tmp_path
    body = """
say(at="begin", window="w")
print("NCCL INFO something", flush=True)
print("{torn", flush=True)
say(at="measured", what="x", n=1.5)
say(at="end", window="w")
say(at="progress", done=30, total=120)
print("a warning", file=sys.stderr)
say(at="done")
os.write(1, b'{"at": "measured", "what": "never finished"')
"""
    found = run(body, ctx=ctx)
    assert found["why"] is None and found["status"] == 0
    assert [r["at"] for r in found["records"]] == ["measured", "done"]
    assert found["torn"] == 2
    assert "NCCL INFO something" in found["text"] and "a warning" in found["text"]
    assert "never finished" in found["text"]
    raw = (tmp_path / "output.log").read_text()
    assert "NCCL INFO something" in raw and "a warning" in raw and '"what": "x"' in raw
    window = found["windows"]["w"]
    assert window["begin"] <= window["end"] and window["rows"] == []
    progress = ctx.of("progress")[0]
    assert (progress["done"], progress["total"], progress["unit"]) == (30, 120, "seconds")
    assert progress["remainingSeconds"] == 90
    assert any('"what": "x"' in e["text"] for e in ctx.of("log"))


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (
            "raise RuntimeError('CUDA error: out of memory')",
            "ended with 1: RuntimeError: CUDA error: out of memory",
        ),
        ("os.kill(os.getpid(), 9)", "was killed by signal 9"),
        ("say(at='measured', what='x')", "without having come to its end"),
    ],
)
def test_an_end_that_is_none_is_told(body: str, word: str) -> None:
    assert word in run(body)["why"]


TORCHRUN = """[rank1]: RuntimeError: CUDA error: an illegal memory access was encountered
E1129 torch/distributed/elastic/multiprocessing/api.py:986] failed (exitcode: 1) local_rank: 1 (pid: 30475) of binary: /python
torch.distributed.elastic.multiprocessing.errors.ChildFailedError: 
  traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html
============================================================"""


def test_of_torchruns_many_words_the_telling_ones_are_taken() -> None:
    lines = TORCHRUN.splitlines()
    assert load.complaint(lines) == lines[0]
    assert load.complaint(lines[1:]) == lines[1]
    assert load.complaint(["", "killed"]) == "killed" and load.complaint([]) == ""


def test_a_program_that_is_not_there_is_told() -> None:
    found = load.Bench(Ctx(), None, None).run(load.Program(["/nonexistent/python"], (5.0, "")))
    assert found["why"] == "/nonexistent/python: No such file or directory"


def test_a_busy_program_without_a_line_hangs_and_is_ended_with_what_it_started(tmp_path: Path) -> None:
    """As ranks that wait in NCCL: each in a session of its own, all of them busy, with warnings on stderr."""
    busy = "import sys, time\nwhile True:\n  print('still waiting', file=sys.stderr, flush=True); time.sleep(0.05)"
    body = f"""
import subprocess
child = subprocess.Popen([sys.executable, "-c", {busy!r}], start_new_session=True)
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
say(at="beat")
while True:
    pass
"""
    start = time.monotonic()
    found = run(body, silence=4.0)
    assert found["hung"] and "nothing was finished for" in found["why"]
    assert "the test's own limit" in found["why"] and "still waiting" in found["text"]
    assert time.monotonic() - start < 40
    child = int((tmp_path / "pid").read_text())
    assert (
        not os.path.exists(f"/proc/{child}") or "Z" in Path(f"/proc/{child}/stat").read_text().split(")")[1]
    )


def test_a_cancel_ends_it() -> None:
    ctx = Ctx()
    threading.Timer(0.5, ctx.cancel.set).start()
    start = time.monotonic()
    with pytest.raises(Cancelled):
        run("say(at='beat')\ntime.sleep(60)", ctx=ctx)
    assert time.monotonic() - start < 40


def test_a_window_has_the_telemetry_of_its_own_time_and_no_other(tmp_path: Path) -> None:
    recording = as_asked(tmp_path / "rows.csv")
    ctx: Any = Ctx()
    telemetry = Telemetry(ctx, 10)
    telemetry.command = lambda: [sys.executable, "-c", REPLAY, str(recording)]
    body = """
say(at="begin", window="w"); time.sleep(0.6); say(at="end", window="w")
time.sleep(0.4)
say(at="begin", window="open"); say(at="done")
"""
    with telemetry:
        wait_until("telemetry", lambda: ctx.of("samples"))
        found = run(body, ctx=ctx, telemetry=telemetry)
    window = found["windows"]["w"]
    assert len(window["rows"]) > 10
    assert all(window["begin"] <= row[0] <= window["end"] for row in window["rows"])
    sent = {tuple(row) for e in ctx.of("samples") for row in e["rows"]}
    assert {tuple(row) for row in window["rows"]} <= sent
    assert found["windows"]["open"]["end"] is None
    assert telemetry.recordings == []


def row(mono: float, card: int, reasons: str | None, draw: float | None = 1.5) -> list[Any]:
    told = {"clocks_event_reasons.active": reasons, "power.draw": draw, "utilization.gpu": 99}
    return [mono, card, *(told.get(f) for f in FIELDS)]


def test_a_recording_gives_back_what_it_was_given() -> None:
    found = Recording()
    rows = [row(1.25, 0, "0x0000000000000004"), row(1.25, 1, None), row(2.25, 0, "0x0000000000000020", None)]
    for one in rows:
        found.add(one)
    assert found.rows() == rows
    assert found.rows(1.5, 3.0) == rows[2:]


def test_a_recording_with_a_step_keeps_the_reasons_of_all() -> None:
    found = Recording(step=1.0)
    for i in range(30):
        found.add(row(i / 10, 0, f"0x{4 if i == 13 else 1:016x}", float(i)))
    kept = found.rows()
    assert [r[0] for r in kept] == [0.0, 1.0, 2.0]
    power, reasons = 2 + FIELDS.index("power.draw"), 2 + FIELDS.index("clocks_event_reasons.active")
    assert [r[power] for r in kept] == [9, 19, 29]
    assert [r[reasons][-1] for r in kept] == ["1", "5", "1"]
