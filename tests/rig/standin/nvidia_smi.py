#!/usr/bin/python3
"""Stand-in for nvidia-smi: replays what the real one printed on a machine with some cards. It measures nothing.

No value is changed and none made up, but for the time, which is now as the real one's is: what was not recorded is "[N/A]", an
argument that cannot be answered from the recordings fails. Faults are switched on by a word in /etc/vault-cube/stand-in-gpus, read anew for each answer:
`none` (no card is found), `one` (only the first was there at start-up), `missing` (the second was not there at start-up; those after it move up
by one number), `lost` (the second card fell off the bus while running; text and exit status as the real one's manual page and users' reports
have them).

One value can be more than was recorded: `memory.used` of --query-gpu. A process says that it holds a card's memory by a file in
/run/vault-cube-stand-in, named after its number on the box, with a line "card MiB" for each card. It counts while that process lives.

`-i UUID -pl WATTS` keeps a power limit in /run/vault-cube-stand-in-limits.json, which is told from then on as the card's; what cards draw stays as
it was recorded.

Tests plant faults with a JSON file, /etc/vault-cube/stand-in-edits.json, read anew for each answer; what is printed then is an
edited copy of what was recorded:
  cards    how many there are; those past the recorded ones are copies of them under other addresses
  xml      [{card, path, value}] in -q -x: the text of an element of a card, or of the head where card is -1; card null: all
  query    [{card, field, value, from?}] in --query-gpu, from a round on
  drop     [{card, from}] rows of a card that are missing from a round on
  end      {after, text, code} ends with this text, a loop after so many rounds
  power    {min, max} what `-pl` takes, in W, in place of what was recorded
  hang     true: it never answers;  seconds: it answers that late;  stale: true: time and values stay as they were first
"""

import csv
import functools
import json
import os
import re
import sys
import time
import xml.etree.ElementTree as ET
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

DATA = Path(os.environ.get("STAND_IN_DATA", "/usr/local/share/vault-cube-stand-in"))
SWITCH = Path(os.environ.get("STAND_IN_SWITCH", "/etc/vault-cube/stand-in-gpus"))
HELD = Path(os.environ.get("STAND_IN_HELD", "/run/vault-cube-stand-in"))
EDITS = Path(os.environ.get("STAND_IN_EDITS", "/etc/vault-cube/stand-in-edits.json"))
LIMITS = Path(os.environ.get("STAND_IN_LIMITS", "/run/vault-cube-stand-in-limits.json"))
INVALID, NOT_FOUND, LOST = 2, 6, 15
HEAD = -1
BUS_OF_LOST = "0000:00:07.0"


def stop(text: str, code: int) -> NoReturn:
    print(text, flush=True)
    sys.exit(code)


def invalid(what: str) -> NoReturn:
    stop(
        f"Invalid combination of input arguments: {what}. Please run 'nvidia-smi -h' for help.",
        INVALID,
    )


def edits() -> dict[str, Any]:
    try:
        return json.loads(EDITS.read_text())
    except FileNotFoundError:
        return {}


@functools.cache
def told() -> int:
    """How many cards were recorded."""
    return len(recorded("list.txt").splitlines())


def cards() -> list[int]:
    """Which of the recorded cards are there, and copies past them, in order; ends the program where the real one answers nothing."""
    try:
        word = SWITCH.read_text().strip()
    except FileNotFoundError:
        return list(range(int(edits().get("cards", told()))))
    if word == "none":
        stop("No devices were found", NOT_FOUND)
    if word == "lost":
        stop(
            f"Unable to determine the device handle for GPU {BUS_OF_LOST}: GPU is lost.  "
            "Reboot the system to recover this GPU",
            LOST,
        )
    if word not in ("", "one", "missing"):
        stop(
            f"stand-in: {SWITCH} holds {word!r}; it knows none, one, missing and lost",
            1,
        )
    if word == "one":
        return [0]
    return [card for card in range(told()) if word != "missing" or card != 1]


def recorded(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")


def table(name: str) -> tuple[list[str], list[list[str]]]:
    """Column names with their units, and rows, of a recorded CSV."""
    rows = [
        row
        for row in csv.reader(recorded(name).splitlines(), skipinitialspace=True)
        if row
    ]
    return rows[0], rows[1:]


def bare(header: str) -> str:
    return header.split(" [")[0]


def names() -> dict[str, str]:
    """Every field the real one knows, by each of its names, to the first; from its own recorded help."""
    known = {}
    for line in recorded("host-and-fields.txt").splitlines():
        if re.match(r'^"[a-z0-9_.A-Z]+"( or "[a-z0-9_.A-Z]+")*$', line.strip()):
            words = re.findall(r'"([^"]+)"', line)
            known |= {word: words[0] for word in words}
    return known


def held(card: int) -> int:
    """MiB of a card that living processes say they hold."""
    total = 0
    for path in HELD.glob("[0-9]*"):
        if not Path("/proc", path.name).exists():
            continue
        total += sum(
            int(mib)
            for n, mib in (line.split() for line in path.read_text().splitlines())
            if int(n) == card
        )
    return total


def other(text: str, card: int) -> str:
    """A name of one of the recorded cards (UUID, address, serial) as that of a copy of it."""
    if card < told():
        return text
    if re.fullmatch(r"[0-9A-F]{8}:[0-9A-F]{2}:[0-9A-F]{2}\.0", text):
        return f"00000000:00:{6 + card:02X}.0"
    return text[:-2] + f"{card:02d}"


def uuids() -> list[str]:
    found = re.findall(r"<uuid>(.*)</uuid>", recorded("q-idle.xml"))
    return [other(found[card % told()], card) for card in cards()]


def limits() -> dict[str, str]:
    """Power limits that were set, by UUID."""
    try:
        return json.loads(LIMITS.read_text())
    except FileNotFoundError:
        return {}


def limit(uuid: str, watts: str) -> None:
    """`-pl`, in the words of the real one."""
    if uuid not in uuids():
        stop("No devices were found", NOT_FOUND)
    try:
        wanted = float(watts)
    except ValueError:
        invalid(f"power limit {watts!r}")
    text = recorded("q-idle.xml")
    told = {
        name: float(re.findall(f"<{name}_power_limit>([0-9.]+) W", text)[0])
        for name in ("min", "max")
    }
    taken = edits().get("power", told)
    if not taken["min"] <= wanted <= taken["max"]:
        stop(
            f"Provided power limit {wanted:.2f} W is not a valid power limit which should be between {taken['min']:.2f} W and "
            f"{taken['max']:.2f} W for GPU {uuid}\nTerminating early due to previous errors.",
            255,
        )
    known = limits()
    before = known.get(uuid, f"{told['max']:.2f} W")
    LIMITS.write_text(json.dumps({**known, uuid: f"{wanted:.2f} W"}))
    print(
        f"Power limit for GPU {uuid} was set to {wanted:.2f} W from {before}.\nAll done."
    )


def stamp(form: str, recorded_as: str) -> str:
    """The time of the answer, as nvidia-smi writes it; the recorded one where it is to be stale."""
    return recorded_as if edits().get("stale") else datetime.now().strftime(form)


def xml() -> str:
    text, there = recorded("q-idle.xml"), cards()
    for card, part in enumerate(
        re.findall(r"\t<gpu id=.*?\t</gpu>\n", text, re.DOTALL)
    ):
        if card not in there:
            text = text.replace(part, "")
    if len(there) < told():
        text = text.replace(
            f"<attached_gpus>{told()}<", f"<attached_gpus>{len(there)}<"
        )
    then = re.search(r"<timestamp>(.*)</timestamp>", text)
    assert then
    now = stamp("%a %b %d %H:%M:%S %Y", then[1])
    text = text.replace(then[0], f"<timestamp>{now}</timestamp>")
    return edited(text, there) if edits() else text


def edited(text: str, there: list[int]) -> str:
    head, _, body = text.partition("<nvidia_smi_log>")
    root = ET.fromstring("<nvidia_smi_log>" + body)
    found = root.findall("gpu")
    for n in there[len(found) :]:
        copy = deepcopy(found[n % told()])
        for path in ("uuid", "serial", "pci/pci_bus_id"):
            put(copy, path, other(copy.findtext(path) or "", n))
        copy.set("id", copy.findtext("pci/pci_bus_id") or "")
        root.append(copy)
        found.append(copy)
    put(root, "attached_gpus", str(len(found)))
    for edit in edits().get("xml", []):
        card = edit["card"]
        for part in (
            [root]
            if card == HEAD
            else found
            if card is None
            else found[card : card + 1]
        ):
            put(part, edit["path"], edit["value"])
    return head + ET.tostring(root, encoding="unicode")


def put(part: ET.Element, path: str, value: str) -> None:
    e = part.find(path)
    if e is None:
        stop(f"stand-in: no {path} was recorded to be edited", 1)
    for child in list(e):
        e.remove(child)
    e.text = value


class Query:
    """A `--query-gpu`: its columns, and for each round a row a card."""

    def __init__(self, fields: list[str], options: set[str]) -> None:
        self.options = options
        self.static, self.telemetry = table("query-static.csv"), table("telemetry.csv")
        columns = {
            bare(h): ("telemetry", n, h) for n, h in enumerate(self.telemetry[0])
        }
        columns = {
            bare(h): ("static", n, h) for n, h in enumerate(self.static[0])
        } | columns
        serials = re.findall(r"<serial>(.*)</serial>", recorded("q-idle.xml"))
        self.more = {"serial": serials}
        known = names()
        self.columns: list[tuple[str, int, str]] = []
        for field in fields:
            name = known.get(field)
            if name is None:
                stop(f'Field "{field}" is not a valid field to query.\n', INVALID)
            self.columns.append(columns.get(name) or ("more", 0, name))
        # The cards took turns in the recording.
        self.told = told()
        self.rounds = len(self.telemetry[1]) // self.told

    def header(self) -> str:
        return ", ".join(c[2] for c in self.columns)

    def value(
        self, number: int, card: int, at: int, column: tuple[str, int, str]
    ) -> str:
        """`number`: which it is of those that are there; `card`: of those that were recorded."""
        source, index, header = column
        planted = [
            e["value"]
            for e in edits().get("query", [])
            if e["field"] == bare(header)
            and e["card"] in (None, card)
            and at >= e.get("from", 0)
        ]
        if planted:
            return planted[-1]
        if source == "more":
            return other(
                self.more.get(header, ["[N/A]"] * self.told)[card % self.told], card
            )
        # A loop goes through the recording again and again.
        at = 0 if edits().get("stale") else at % self.rounds
        rows = (
            self.static[1]
            if source == "static"
            else self.telemetry[1][at * self.told : (at + 1) * self.told]
        )
        text = rows[card % self.told][index]
        if bare(header) == "timestamp":
            return stamp("%Y/%m/%d %H:%M:%S.%f", text)[:23]
        if bare(header) == "index":
            return str(number)
        if bare(header) in ("uuid", "pci.bus_id"):
            return other(text, card)
        if bare(header) == "power.limit":
            text = limits().get(uuids()[number], text)
        if bare(header) == "memory.used":
            text = f"{int(text.split()[0]) + held(card)} MiB"
        unit = re.search(r" \[(.+)\]$", header)
        return (
            text.removesuffix(f" {unit.group(1)}")
            if unit and "nounits" in self.options
            else text
        )

    def rows(self, at: int) -> list[str]:
        gone = {e["card"] for e in edits().get("drop", []) if at >= e["from"]}
        return [
            ", ".join(self.value(number, card, at, c) for c in self.columns)
            for number, card in enumerate(cards())
            if card not in gone
        ]


def query(fields: str, form: str | None, period: float | None) -> None:
    options = set((form or "").split(","))
    if "csv" not in options or options - {"csv", "noheader", "nounits"}:
        invalid(f"--format={form or ''}")
    asked = Query([f.strip() for f in fields.split(",")], options)
    cards()
    if "noheader" not in options:
        print(asked.header())
    at, due = 0, time.monotonic()
    while True:
        end = edits().get("end")
        if end and at >= end["after"]:
            stop(end["text"], end["code"])
        print("\n".join(asked.rows(at)), flush=True)
        if period is None:
            return
        at, due = at + 1, due + period
        time.sleep(max(0.0, due - time.monotonic()))


def seconds(text: str, divisor: float) -> float:
    if not text.isdigit() or int(text) == 0:
        invalid(f"loop period {text!r}")
    return int(text) / divisor


def main(argv: list[str]) -> None:
    planted = edits()
    while planted.get("hang"):
        time.sleep(3600)
    time.sleep(planted.get("seconds", 0))
    if "end" in planted and not planted["end"]["after"]:
        stop(planted["end"]["text"], planted["end"]["code"])
    words = iter(argv)
    given: dict[str, str] = {}
    alone = {
        "-q": "q",
        "--query": "q",
        "-x": "x",
        "--xml-format": "x",
        "-L": "L",
        "--list-gpus": "L",
    }
    valued = {
        "--query-gpu": "query",
        "--format": "format",
        "--loop-ms": "lms",
        "--loop": "l",
    }
    for word in words:
        name, equals, value = word.partition("=")
        if word in alone:
            given[alone[word]] = ""
        elif name in valued and equals:
            given[valued[name]] = value
        elif word in ("-lms", "-l", "-i", "-pl"):
            given[word[1:]] = next(words, "")
        else:
            invalid(f"the stand-in does not know {word!r}")
    kinds = set(given) - {"lms", "l", "format"}
    period = None
    if "lms" in given:
        period = seconds(given["lms"], 1000)
    elif "l" in given:
        period = seconds(given["l"], 1)
    if kinds == {"i", "pl"}:
        limit(given["i"], given["pl"])
    elif kinds == {"query"}:
        query(given["query"], given.get("format"), period)
    elif given.keys() == {"q", "x"}:
        sys.stdout.write(xml())
    elif given.keys() == {"L"}:
        lines = recorded("list.txt").splitlines()
        for number, card in enumerate(cards()):
            if card < len(lines):
                print(f"GPU {number}:{lines[card].partition(':')[2]}")
    elif not given:
        if cards() != list(range(told())):
            invalid("the table was recorded with all cards only")
        sys.stdout.write(recorded("smi.txt"))
    else:
        invalid(" ".join(argv))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (BrokenPipeError, KeyboardInterrupt):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
