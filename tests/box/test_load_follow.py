"""A soak whose laptop goes away: a follower that is killed in its middle and one that comes back later have every line of it, once."""

import hashlib
import json
from itertools import pairwise
from pathlib import Path

import loads
from conftest import Box, events, wait_until
from loadbox import LoadBox, results


def test_a_soak_goes_on_without_anybody_and_is_whole_afterwards(box: Box, tmp_path: Path) -> None:
    here = LoadBox(box, tmp_path)
    done = loads.soak(4.0)
    at = next(n for n, one in enumerate(done) if one["at"] == "progress")
    here.says.says("soak", [*done[:at], {"do": "wait", "seconds": 3.0}, *done[at:]])
    folder = here.box.start("checks", here.params("stress", seconds=4))
    first = here.box.follow(folder)
    first.header()
    wait_until("readings", lambda: sum(e["kind"] == "samples" for e in events(folder)) >= 2)
    assert first.process.stdout
    got = first.process.stdout.readline()
    first.process.kill()
    first.process.wait()
    found = here.box.wait(folder, 60)
    assert results(found)["t7_length"]["verdict"] == "pass"
    # As the app goes on: from the end of the last whole line that it stored.
    sha = hashlib.sha256(got.rstrip(b"\n")).hexdigest()
    again = here.box.follow(folder, len(got), len(got) - 1, sha)
    again.header()
    status, rest = again.read_all()
    assert status == 0
    lines = [json.loads(line) for line in (got + rest).splitlines()]
    assert [e["seq"] for e in lines] == list(range(1, len(lines) + 1))
    assert lines == found
    # Ten readings a second of each card all the while, whoever followed.
    rows = [row for e in lines if e["kind"] == "samples" for row in e["rows"]]
    for card in (0, 1):
        times = [row[0] for row in rows if row[1] == card]
        assert len(times) > 20
        assert max(b - a for a, b in pairwise(times)) < 1.0
