#!/usr/bin/python3
"""Stand-in for nvidia-smi: replays what the real one printed on a machine with two H100. It measures nothing.

No value is changed and none made up: what was not recorded is "[N/A]", an argument that cannot be answered from the
recordings fails. Faults are switched on by a word in /etc/vault-cube/stand-in-gpus, read anew for each answer:
`none` (no card is found), `one` (the second card was not there at start-up), `lost` (the second card fell off the bus while
running; text and exit status as the real one's manual page and users' reports have them).

One value can be more than was recorded: `memory.used` of --query-gpu. A process says that it holds a card's memory by a file in
/run/vault-cube-stand-in, named after its number on the box, with a line "card MiB" for each card. It counts while that process lives.
"""

import csv
import os
import re
import sys
import time
from pathlib import Path
from typing import NoReturn

DATA = Path(os.environ.get("STAND_IN_DATA", "/usr/local/share/vault-cube-stand-in"))
SWITCH = Path(os.environ.get("STAND_IN_SWITCH", "/etc/vault-cube/stand-in-gpus"))
HELD = Path(os.environ.get("STAND_IN_HELD", "/run/vault-cube-stand-in"))
INVALID, NOT_FOUND, LOST = 2, 6, 15
BUS_OF_LOST = "0000:00:07.0"


def stop(text: str, code: int) -> NoReturn:
    print(text, flush=True)
    sys.exit(code)


def invalid(what: str) -> NoReturn:
    stop(f"Invalid combination of input arguments: {what}. Please run 'nvidia-smi -h' for help.", INVALID)


def cards() -> int:
    """How many of the recorded cards are there; ends the program where the real one answers nothing."""
    try:
        word = SWITCH.read_text().strip()
    except FileNotFoundError:
        return 2
    if word == "none":
        stop("No devices were found", NOT_FOUND)
    if word == "lost":
        stop(
            f"Unable to determine the device handle for GPU {BUS_OF_LOST}: GPU is lost.  "
            "Reboot the system to recover this GPU",
            LOST,
        )
    if word not in ("", "one"):
        stop(f"stand-in: {SWITCH} holds {word!r}; it knows none, one and lost", 1)
    return 1 if word == "one" else 2


def recorded(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")


def table(name: str) -> tuple[list[str], list[list[str]]]:
    """Column names with their units, and rows, of a recorded CSV."""
    rows = [row for row in csv.reader(recorded(name).splitlines(), skipinitialspace=True) if row]
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
        total += sum(int(mib) for n, mib in (line.split() for line in path.read_text().splitlines()) if int(n) == card)
    return total


def xml() -> str:
    text, count = recorded("q-idle.xml"), cards()
    if count == 1:
        first, _, rest = text.partition('\t<gpu id="00000000:00:07.0">')
        text = first.replace("<attached_gpus>2<", "<attached_gpus>1<") + rest.partition("\t</gpu>\n")[2]
    return text


class Query:
    """A `--query-gpu`: its columns, and for each round a row a card."""

    def __init__(self, fields: list[str], options: set[str]) -> None:
        self.options = options
        self.static, self.telemetry = table("query-static.csv"), table("telemetry.csv")
        columns = {bare(h): ("telemetry", n, h) for n, h in enumerate(self.telemetry[0])}
        columns = {bare(h): ("static", n, h) for n, h in enumerate(self.static[0])} | columns
        serials = re.findall(r"<serial>(.*)</serial>", recorded("q-idle.xml"))
        self.more = {"serial": serials}
        known = names()
        self.columns: list[tuple[str, int, str]] = []
        for field in fields:
            name = known.get(field)
            if name is None:
                stop(f'Field "{field}" is not a valid field to query.\n', INVALID)
            self.columns.append(columns.get(name) or ("more", 0, name))
        # Two cards took turns in the recording.
        self.rounds = len(self.telemetry[1]) // 2

    def header(self) -> str:
        return ", ".join(c[2] for c in self.columns)

    def value(self, card: int, at: int, column: tuple[str, int, str]) -> str:
        source, index, header = column
        if source == "more":
            return self.more.get(header, ["[N/A]"] * 2)[card]
        rows = self.static[1] if source == "static" else self.telemetry[1][at * 2 : at * 2 + 2]
        text = rows[card][index]
        if bare(header) == "memory.used":
            text = f"{int(text.split()[0]) + held(card)} MiB"
        unit = re.search(r" \[(.+)\]$", header)
        return text.removesuffix(f" {unit.group(1)}") if unit and "nounits" in self.options else text

    def rows(self, at: int) -> list[str]:
        return [", ".join(self.value(card, at, c) for c in self.columns) for card in range(cards())]


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
        print("\n".join(asked.rows(at % asked.rounds)), flush=True)
        if period is None:
            return
        at, due = at + 1, due + period
        time.sleep(max(0.0, due - time.monotonic()))


def seconds(text: str, divisor: float) -> float:
    if not text.isdigit() or int(text) == 0:
        invalid(f"loop period {text!r}")
    return int(text) / divisor


def main(argv: list[str]) -> None:
    words = iter(argv)
    given: dict[str, str] = {}
    alone = {"-q": "q", "--query": "q", "-x": "x", "--xml-format": "x", "-L": "L", "--list-gpus": "L"}
    valued = {"--query-gpu": "query", "--format": "format", "--loop-ms": "lms", "--loop": "l"}
    for word in words:
        name, equals, value = word.partition("=")
        if word in alone:
            given[alone[word]] = ""
        elif name in valued and equals:
            given[valued[name]] = value
        elif word in ("-lms", "-l"):
            given[word[1:]] = next(words, "")
        else:
            invalid(f"the stand-in does not know {word!r}")
    kinds = set(given) - {"lms", "l", "format"}
    period = None
    if "lms" in given:
        period = seconds(given["lms"], 1000)
    elif "l" in given:
        period = seconds(given["l"], 1)
    if kinds == {"query"}:
        query(given["query"], given.get("format"), period)
    elif given.keys() == {"q", "x"}:
        sys.stdout.write(xml())
    elif given.keys() == {"L"}:
        print("\n".join(recorded("list.txt").splitlines()[: cards()]))
    elif not given:
        if cards() == 1:
            invalid("the table was recorded with both cards only")
        sys.stdout.write(recorded("smi.txt"))
    else:
        invalid(" ".join(argv))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (BrokenPipeError, KeyboardInterrupt):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
