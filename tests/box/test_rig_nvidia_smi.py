"""The rig's stand-in for nvidia-smi: it repeats what was recorded, changes nothing, and refuses what it cannot know."""

import csv
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from vcbox.parsers.nvidia_smi import parse_query_xml
from vcbox.telemetry import FIELDS, parse_row

from conftest import FIXTURES, REPO

RECORDED = FIXTURES / "nvidia-smi-2xh100"
STAND_IN = REPO / "tests" / "rig" / "standin" / "nvidia_smi.py"
UNRECORDED = "clocks.max.memory"


class Smi:
    """The stand-in on the fixtures, with a switch for faults of its own."""

    def __init__(self, folder: Path) -> None:
        self.switch = folder / "switch"
        self.held = folder / "held"
        self.held.mkdir()
        self.env = {**os.environ, "STAND_IN_DATA": str(RECORDED), "STAND_IN_SWITCH": str(self.switch)}
        self.env["STAND_IN_HELD"] = str(self.held)
        self.edits = folder / "edits.json"
        self.env["STAND_IN_EDITS"] = str(self.edits)

    def __call__(self, *args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(STAND_IN), *args]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, check=False, timeout=20)

    def stream(self, *args: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(STAND_IN), *args]
        return subprocess.Popen(command, env=self.env, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def smi(tmp_path: Path) -> Iterator[Smi]:
    yield Smi(tmp_path)


def columns(name: str) -> tuple[list[str], list[list[str]]]:
    rows = list(csv.reader((RECORDED / name).read_text().splitlines(), skipinitialspace=True))
    return rows[0], rows[1:]


@pytest.mark.parametrize("name", ["query-static.csv", "telemetry.csv"])
def test_every_recorded_column_comes_back_as_recorded(smi: Smi, name: str) -> None:
    header, rows = columns(name)
    # What telemetry recorded too is answered from there: one card's numbers of one moment.
    fields = ",".join(h.split(" [")[0] for h in header)
    out = smi(f"--query-gpu={fields}", "--format=csv").stdout.splitlines()
    # The time is that of the answer.
    want = [
        [c for h, c in zip(header, cells, strict=True) if h != "timestamp"] for cells in [header, *rows[:2]]
    ]
    got = [line.split(", ")[len(header) - len(want[0]) :] for line in out]
    assert got == want


def test_units_and_header_can_be_left_out(smi: Smi) -> None:
    query = "--query-gpu=index,power.draw,power.max_limit,fan.speed,clocks.sm"
    bare = smi(query, "--format=csv,noheader,nounits").stdout
    assert bare == "0, 72.09, 700.00, [N/A], 345\n1, 72.17, 700.00, [N/A], 345\n"
    first = smi(query, "--format=csv,nounits").stdout.splitlines()[0]
    assert first == "index, power.draw [W], power.max_limit [W], fan.speed [%], clocks.current.sm [MHz]"


def test_a_known_field_that_was_not_recorded_is_not_made_up(smi: Smi) -> None:
    out = smi(f"--query-gpu=index,{UNRECORDED}", "--format=csv,noheader").stdout
    assert out == "0, [N/A]\n1, [N/A]\n"


def test_serials_come_from_the_recorded_xml(smi: Smi) -> None:
    query = parse_query_xml((RECORDED / "q-idle.xml").read_text())
    out = smi("--query-gpu=serial", "--format=csv,noheader").stdout.split()
    assert out == [g["serial"] for g in query["gpus"]]


def test_a_stream_goes_through_the_recording_and_starts_over(smi: Smi) -> None:
    query = "--query-gpu=" + ",".join(("index", *FIELDS))
    header, rows = columns("telemetry.csv")
    power, index = header.index("power.draw [W]"), header.index("index")
    child = smi.stream(query, "--format=csv,noheader,nounits", "-lms", "1")
    try:
        assert child.stdout
        lines = list(itertools.islice(child.stdout, len(rows) + 4))
    finally:
        child.kill()
        child.wait()
    parsed = [parse_row(line, 0.0) for line in lines]
    got = [(row[1], row[2 + FIELDS.index("power.draw")]) for row in parsed if row]
    want = [(int(r[index]), float(r[power].removesuffix(" W"))) for r in rows]
    assert got == want + want[:4]


def test_a_stream_ends_when_a_card_is_lost(smi: Smi) -> None:
    child = smi.stream("--query-gpu=index", "--format=csv,noheader", "-lms", "5")
    assert child.stdout
    assert child.stdout.readline() == "0\n"
    smi.switch.write_text("lost\n")
    assert "GPU is lost" in child.stdout.read()
    assert child.wait(10) == 15


def test_memory_counts_while_the_process_that_holds_it_lives(smi: Smi) -> None:
    used = ("--query-gpu=index,memory.used", "--format=csv,noheader,nounits")
    holder = subprocess.Popen(["sleep", "60"])
    try:
        (smi.held / str(holder.pid)).write_text("1 4096\n")
        assert smi(*used).stdout == "0, 0\n1, 4096\n"
        assert smi("--query-gpu=memory.used", "--format=csv,noheader").stdout == "0 MiB\n4096 MiB\n"
    finally:
        holder.kill()
        holder.wait()
    assert smi(*used).stdout == "0, 0\n1, 0\n"


@pytest.mark.parametrize(
    "args",
    [
        ["--query-gpu=index,no.such.field", "--format=csv"],
        ["--query-gpu=index"],
        ["--query-gpu=index", "--format=json"],
        ["--query-gpu=index", "--format=csv", "-lms", "fast"],
        ["--query-gpu=index", "--format=csv", "-lms"],
        ["-q"],
        ["-q", "-x", "-L"],
        ["-pm", "1"],
        ["topo", "-m"],
    ],
)
def test_what_it_cannot_answer_it_refuses(smi: Smi, args: list[str]) -> None:
    done = smi(*args)
    assert done.returncode == 2
    assert done.stdout.startswith(("Invalid combination", "Field "))


def test_faults(smi: Smi) -> None:
    assert smi("-L").stdout.count("\n") == 2
    smi.switch.write_text("none\n")
    for args in (["-L"], ["-q", "-x"], ["--query-gpu=index", "--format=csv"], []):
        done = smi(*args)
        assert (done.returncode, done.stdout) == (6, "No devices were found\n")
    smi.switch.write_text("one\n")
    query, whole = (
        parse_query_xml(smi("-q", "-x").stdout),
        parse_query_xml((RECORDED / "q-idle.xml").read_text()),
    )
    assert query == {**whole, "timestamp": query["timestamp"], "attached": 1, "gpus": whole["gpus"][:1]}
    assert smi("--query-gpu=index", "--format=csv,noheader").stdout == "0\n"
    smi.switch.write_text("two\n")
    assert smi("-L").returncode == 1


FOUR = FIXTURES / "nvidia-smi-4xh200"


def test_four_recorded_cards_are_replayed_in_their_turns(smi: Smi) -> None:
    smi.env["STAND_IN_DATA"] = str(FOUR)
    assert smi("-L").stdout == (FOUR / "list.txt").read_text()
    rows = list(csv.DictReader((FOUR / "telemetry.csv").read_text().splitlines(), skipinitialspace=True))
    fields = ("index", "uuid", "power.draw", "temperature.gpu", "pstate")
    child = smi.stream(f"--query-gpu={','.join(fields)}", "--format=csv,noheader", "-lms", "1")
    try:
        assert child.stdout
        lines = [line.strip().split(", ") for line in itertools.islice(child.stdout, len(rows) + 4)]
    finally:
        child.kill()
        child.wait()
    names = {"power.draw": "power.draw [W]"}
    want = [[row[names.get(f, f)] for f in fields] for row in rows]
    assert lines == want + want[:4]
    assert {row["pstate"] for row in rows} == {"[N/A]"}


def test_without_the_second_of_four_the_others_move_up(smi: Smi) -> None:
    smi.env["STAND_IN_DATA"] = str(FOUR)
    smi.switch.write_text("missing\n")
    whole, query = (
        parse_query_xml((FOUR / "q-idle.xml").read_text()),
        parse_query_xml(smi("-q", "-x").stdout),
    )
    left = [g for n, g in enumerate(whole["gpus"]) if n != 1]
    assert query == {**whole, "timestamp": query["timestamp"], "attached": 3, "gpus": left}
    out = smi("--query-gpu=index,uuid", "--format=csv,noheader").stdout.splitlines()
    assert out == [f"{n}, {g['uuid']}" for n, g in enumerate(left)]
    assert [line.split(":")[0] for line in smi("-L").stdout.splitlines()] == ["GPU 0", "GPU 1", "GPU 2"]
    assert "with all cards only" in smi().stdout


def planted(smi: Smi, **edits: Any) -> dict[str, Any]:
    smi.edits.write_text(json.dumps(edits))
    return parse_query_xml(smi("-q", "-x").stdout)


def test_the_time_is_now_unless_it_is_to_be_stale(smi: Smi) -> None:
    stamp = parse_query_xml(smi("-q", "-x").stdout)["timestamp"]
    assert abs(time.mktime(time.strptime(stamp, "%a %b %d %H:%M:%S %Y")) - time.time()) < 10
    assert planted(smi, stale=True)["timestamp"] == "Mon Nov 23 22:51:02 2026"


def test_planted_values_change_one_card_and_nothing_else(smi: Smi) -> None:
    whole = parse_query_xml(smi("-q", "-x").stdout)
    found = planted(smi, xml=[{"card": 1, "path": "pci/replay_counter", "value": "81"}])
    assert found["gpus"][0] == whole["gpus"][0]
    assert found["gpus"][1] == {**whole["gpus"][1], "replays": 81}
    edit = {"card": 0, "field": "pcie.link.gen.current", "value": "4", "from": 1}
    smi.edits.write_text(
        json.dumps({"query": [edit], "end": {"after": 2, "text": "GPU is lost", "code": 15}})
    )
    done = smi("--query-gpu=index,pcie.link.gen.current", "--format=csv,noheader", "-lms", "1")
    assert (
        done.stdout.splitlines() == ["0, 5", "1, 5", "0, 4", "1, 5", "GPU is lost"] and done.returncode == 15
    )


def test_planted_cards_have_names_of_their_own(smi: Smi) -> None:
    found = planted(smi, cards=4)["gpus"]
    for name in ("uuid", "bus", "serial"):
        assert len({g[name] for g in found}) == 4
    out = smi("--query-gpu=index,uuid", "--format=csv,noheader").stdout.splitlines()
    assert [line.split(", ") for line in out] == [[str(n), g["uuid"]] for n, g in enumerate(found)]
