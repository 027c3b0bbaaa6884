"""An error of the driver's during load stands in the log when it comes, and the cards' slowing down in the samples beside it."""

import json
from pathlib import Path
from typing import Any

import pytest
from vcbox.kernelwatch import MARKS_MAX, KernelWatch, told

import loads
from conftest import Box, events, wait_until
from loadbox import LoadBox, results

XID_79 = (
    "[  812.0] NVRM: Xid (PCI:0000:00:07): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."
)
XID_31 = "[  813.0] NVRM: Xid (PCI:0000:00:06): 31, pid=4711, name=python, Ch 00000008"
# The same two in tests/renderer/lines.test.ts, which makes marks of them.
MARKS = [
    "Xid 79 (fatal) on 0000:00:07: the card has fallen off the bus",
    "Xid 31 on 0000:00:06: a program touched memory of the card that it had not",
]


def notes(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [e for e in found if e["kind"] == "log" and e["stream"] == "note"]


@pytest.fixture
def here(box: Box, tmp_path: Path) -> LoadBox:
    return LoadBox(box, tmp_path)


def test_a_fault_under_load_is_marked_when_it_comes(here: LoadBox) -> None:
    kernel = here.kernel_log()
    kernel.write_text("[    1.0] NVRM: Xid (PCI:0000:00:06): 48, from before\n")
    lines = [one for one in loads.soak(600.0) if one["at"] in ("card", "begin", "progress", "round")]
    here.says.says("soak", [*lines, {"do": "wait", "seconds": 4.0}, *loads.soak(3.0)[-1:]])
    planted = [{"card": 1, "field": "clocks_event_reasons.active", "value": "0x0000000000000040", "from": 10}]
    here.edits.write_text(json.dumps({"query": planted}))
    folder = here.box.start("checks", here.params("stress", seconds=3))
    wait_until(
        "load", lambda: any(e["kind"] == "progress" and e["unit"] == "seconds" for e in events(folder))
    )
    with open(kernel, "a") as f:
        f.write(f"{XID_79}\n{XID_79}\n{XID_31}\n[  814.0] usb 1-1: new device\n")
    wait_until("both marks", lambda: [e["text"] for e in notes(events(folder))][:2] == MARKS)
    found = here.box.wait(folder, 60)
    # While the program runs, within its step, and not what was there before.
    marks = [e for e in notes(found) if e["text"].startswith("Xid")]
    assert [e["text"] for e in marks] == MARKS
    step = next(e for e in found if e["kind"] == "step" and e["id"] == "t7_length" and e["state"] == "end")
    assert all(e["step"] == "t7_length" and e["mono"] < step["mono"] for e in marks)
    assert results(found)["t7_xid"]["verdict"] == "fail"
    samples = [e for e in found if e["kind"] == "samples"]
    at = 2 + samples[0]["fields"].index("clocks_event_reasons.active")
    hot = [row for e in samples for row in e["rows"] if row[at] == "0x0000000000000040"]
    assert hot and {row[1] for row in hot} == {1}


def test_a_log_that_cannot_be_followed_is_said_once(here: LoadBox) -> None:
    here.says.says("soak", loads.soak(1.0))
    here.no_kernel_log()
    found = here.box.run("checks", here.params("stress", seconds=1), 60)
    said = [e["text"] for e in notes(found) if e["text"].startswith("kernel log")]
    assert said == [
        "kernel log: not followed (dmesg ended with 1; journalctl ended with 1); errors of the driver are seen after the run"
    ]


def test_a_card_that_says_so_a_thousand_times_is_told_of_once_a_second() -> None:
    ctx = loads.Ctx()
    watch = KernelWatch(ctx)
    for _ in range(1000):
        watch.line(XID_79)
    assert [e["text"] for e in ctx.of("log")] == MARKS[:1]
    for n in range(2 * MARKS_MAX):
        watch.line(f"NVRM: Xid (PCI:0000:00:07): {1000 + n}, x")
    assert len(ctx.of("log")) == MARKS_MAX
    assert told("00000000:41:00.0", 999, ()) == (
        "Xid 999 on 0000:41:00: the driver reported an error that this version has no sentence for"
    )
