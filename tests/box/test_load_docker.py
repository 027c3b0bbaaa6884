"""T5: containers with GPUs, with a docker command in the real one's place that knows two cards. No container with a GPU has run here."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from vcbox import checks, process
from vcbox.checks.base import Result

from loads import PROFILE, UUIDS, look

# As much of docker's command line as the suite uses; what it was asked and what runs is kept beside it.
DOCKER = """#!{python}
import json, os, sys
here = {folder!r}
state = os.path.join(here, "containers.json")
there = json.load(open(state)) if os.path.exists(state) else {{}}
fault = open(os.path.join(here, "fault")).read() if os.path.exists(os.path.join(here, "fault")) else ""
words = sys.argv[1:]
open(os.path.join(here, "calls"), "a").write(json.dumps(words) + chr(10))
cards = {cards!r}
if words[:2] == ["image", "ls"]:
    print("" if fault == "no image" else "ubuntu:24.04")
elif words[0] == "run":
    gpus = words[words.index("--gpus") + 1]
    if fault == "no runtime":
        print('docker: could not select device driver "" with capabilities: [[gpu]].', file=sys.stderr)
        sys.exit(125)
    seen = cards if gpus == "all" else [gpus.removeprefix("device=")]
    if fault == "one less" and gpus == "all":
        seen = seen[:-1]
    if fault == "pin ignored":
        seen = cards
    id = f"c{{len(there)}}"
    there[id] = {{"seen": seen, "running": not (fault == "one ends" and len(there) % 2), "there": True}}
    json.dump(there, open(state, "w"))
    print(id)
elif words[0] == "logs":
    print("\\n".join(there[words[1]]["seen"] * 2))
elif words[0] == "inspect":
    print("true" if there[words[-1]]["running"] else "false")
elif words[:2] == ["rm", "-f"]:
    there[words[2]]["there"] = False
    json.dump(there, open(state, "w"))
"""


class Docker:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = folder / "docker"
        command.write_text(DOCKER.format(python=sys.executable, folder=str(folder), cards=list(UUIDS)))
        command.chmod(0o755)

    def fault(self, word: str) -> None:
        (self.folder / "fault").write_text(word)

    def containers(self) -> dict[str, Any]:
        return json.loads((self.folder / "containers.json").read_text())

    def runs(self) -> list[list[str]]:
        calls = [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]
        return [words for words in calls if words[0] == "run"]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    monkeypatch.setitem(process.CLEAN_ENV, "PATH", f"{tmp_path}:{process.CLEAN_ENV['PATH']}")
    return Docker(tmp_path)


def suite() -> dict[str, Result]:
    here = look(job="job-1")
    found = {}
    for id in checks.SUITES["docker-gpu"]:
        module = checks.load(id)
        assert module
        found[id] = module.judge(module.gather(here), PROFILE)
    return found


def test_containers_that_see_what_they_should_pass_and_are_removed(docker: Docker) -> None:
    found = suite()
    assert {r.verdict for r in found.values()} == {"pass"}, found
    runs = docker.runs()
    pins = [words[words.index("--gpus") + 1] for words in runs]
    assert pins == ["all", f"device={UUIDS[0]}", f"device={UUIDS[1]}", "all", "all"]
    assert all(
        "vault-cube.job=job-1" in words and words[words.index("--pull") + 1] == "never" for words in runs
    )
    assert [c["there"] for c in docker.containers().values()] == [False] * 5


FAULTS = [
    ("one less", {"t5_all": "container 0 saw 1 GPUs of 2", "t5_shared": "saw 1 GPUs of 2"}),
    ("pin ignored", {"t5_pinned": "container 0 saw 2 GPUs of 1"}),
    ("one ends", {"t5_pinned": "1 of 2 ran at the same time", "t5_shared": "1 of 2 ran at the same time"}),
    (
        "no runtime",
        {id: "could not select device driver" for id in ("t5_all", "t5_pinned", "t5_shared")},
    ),
]


@pytest.mark.parametrize(("fault", "words"), FAULTS, ids=[f[0] for f in FAULTS])
def test_a_fault_is_found_and_named(docker: Docker, fault: str, words: dict[str, str]) -> None:
    docker.fault(fault)
    found = suite()
    for id, result in found.items():
        assert result.verdict == ("fail" if id in words else "pass"), (id, result)
        assert words.get(id, "") in str(result.value)
    if fault != "no runtime":
        assert not any(c["there"] for c in docker.containers().values())


def test_without_an_image_it_did_not_run(docker: Docker) -> None:
    docker.fault("no image")
    assert {r.verdict for r in suite().values()} == {"not_run"}


def test_it_waits_for_nobody_since_it_puts_no_load_on_the_box(docker: Docker) -> None:
    here = look(job="job-1")
    assert here.bench
    here.bench.refused = "nobody agreed"
    module = checks.load("t5_all")
    assert module and module.judge(module.gather(here), PROFILE).verdict == "pass"
