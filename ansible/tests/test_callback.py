"""The real callback in a real run, read by the runner's own code: its records become events of the documented shape."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from project import ANSIBLE, VENV
from shape import check_body
from vcbox import playbook
from vcbox.context import Context, JobFailed
from vcbox.eventlog import EventLog
from vcbox.paths import Paths

JOB = "6f1f7a4e-3c5c-4f0e-9c0f-0d8a1b2c3d4e"
SECRET = "not-for-any-log"

GOOD = """
- name: Good
  hosts: all
  gather_facts: false
  tags: [good]
  tasks:
    - name: Finds it as wanted
      ansible.builtin.file: {{path: {work}, state: directory, mode: "0755"}}
    - name: Changes
      ansible.builtin.copy: {{content: hello, dest: {work}/file, mode: "0600"}}
      notify: Handle
    - name: Goes round
      ansible.builtin.command: {{cmd: "echo {{{{ item }}}}"}}
      loop: [one, two, three]
      changed_when: item == 'two'
    - name: Steers and is not done
      ansible.builtin.meta: end_host
      when: "'a' == 'b'"
    - name: Steers
      ansible.builtin.meta: flush_handlers
    - name: Is skipped
      ansible.builtin.command: "false"
      when: "'a' == 'b'"
    - name: Goes round in secret
      ansible.builtin.command: {{cmd: "echo {{{{ item }}}}"}}
      loop: [{secret}-1, {secret}-2]
      changed_when: true
      no_log: true
  handlers:
    - name: Handle
      ansible.builtin.command: "true"
      changed_when: false
- name: Not chosen
  hosts: all
  gather_facts: false
  tags: [other]
  tasks:
    - name: Is of another play
      ansible.builtin.command: "false"
"""

BAD = """
- name: Bad
  hosts: all
  gather_facts: false
  tags: [good]
  tasks:
    - name: Guarded
      block:
        - name: Fails in secret
          ansible.builtin.command: {{cmd: "cat /nowhere/{secret}"}}
          no_log: true
        - name: Is never reached
          ansible.builtin.command: "true"
      rescue:
        - name: Fails in a loop
          ansible.builtin.command: {{cmd: "cat {{{{ item }}}}"}}
          loop: [/dev/null, /nowhere/at-all]
          changed_when: false
"""

DYNAMIC = """
- name: Dynamic
  hosts: all
  gather_facts: false
  tags: [good]
  tasks:
    - name: Found on the way
      ansible.builtin.include_tasks: more.yml
"""
MORE = "- name: More\n  ansible.builtin.command: 'true'\n  changed_when: false\n"

FORKED = """
- name: Forked
  hosts: all
  gather_facts: false
  become: {root}
  tags: [good]
  tasks:
    - name: A module of a role's own
      own: {{to: {work}/own.json}}
    - name: What a module starts
      ansible.builtin.shell: {{cmd: "env >{work}/env; ls -l /proc/self/fd >{work}/fd; umask >{work}/umask"}}
    - name: With a variable, which no fork is for
      own: {{to: {work}/other.json}}
      environment: {{SOME: thing}}
    - name: Reads its stdin, which has ended
      ansible.builtin.command: cat
    - name: Says why it cannot go on
      own: {{to: {work}/none/own.json}}
      register: failed
      ignore_errors: true  # told below: with failed_when the reason would be gone
    - name: Is ended by a signal
      own: {{to: /dev/null, kill: true}}
      register: killed
      ignore_errors: true  # told below: with failed_when the reason would be gone
    - name: Tells what came of them
      ansible.builtin.copy:
        content: "{{{{ [failed.module_stderr | default(failed.msg), killed.rc | default(0)] | to_json }}}}"
        dest: "{work}/told.json"
"""
OWN = """
import json, os, signal, sys, __main__
from ansible.module_utils import basic
module = basic.AnsibleModule({"to": {"type": "path"}, "kill": {"type": "bool"}})
if module.params["kill"]:
    os.kill(os.getpid(), signal.SIGTERM)
with open(module.params["to"], "w") as to:
    told = {"basic": basic.__file__, "path": sys.path, "argv": sys.argv, "main": __main__.__name__, "session": os.getsid(0)}
    json.dump(told, to)
module.exit_json()
"""


class Run:
    """One run of `playbook.run` in a temporary box; `text` is all that it left behind for people and programs."""

    def __init__(self, base: Path, play: str) -> None:
        project, opt = base / "box" / "ansible", base / "opt"
        for path in (project, opt, base / "work"):
            path.mkdir(parents=True)
        (project / "play.yml").write_text(play.format(work=base / "work", secret=SECRET, root=os.geteuid() == 0))
        (project / "more.yml").write_text(MORE)
        (project / "library").mkdir()
        (project / "library" / "own.py").write_text(OWN)
        self.base, self.work = base, base / "work"
        for name in ("ansible.cfg", "callback_plugins"):
            (project / name).symlink_to(ANSIBLE / name)
        (opt / "ansible").symlink_to(VENV)
        self.play(base / "job")

    def play(self, folder: Path) -> None:
        base = self.base
        folder.mkdir()
        log = EventLog(folder, JOB, 1, "0" * 64, "stand-in")
        params = {"playbook": "play.yml", "tags": ["good"], "vars": {}}
        spec = {"job": JOB, "attempt": 1, "params": params}
        ctx = Context(spec, folder, base / "box", Paths(base / "state", base / "opt", base / "run"), log, f"{JOB}.1")
        self.counts: dict[str, int] | None = None
        self.failed: JobFailed | None = None
        try:
            self.counts = playbook.run(ctx)
        except JobFailed as e:
            self.failed = e
        finally:
            log.close()
        text = (folder / "events.jsonl").read_text()
        self.events: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
        for event in self.events:
            check_body(event)
        self.output = (folder / "output.log").read_text()
        self.text = text + self.output
        self.tasks = [e for e in self.events if e["kind"] == "task"]

    def ends(self) -> list[tuple[str, str]]:
        return [(e["name"], e["state"]) for e in self.tasks if e["state"] != "begin"]

    def detail(self, name: str) -> Any:
        return next(e.get("detail") for e in self.tasks if e["name"] == name and e["state"] != "begin")


pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the runner needs root")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("good"), GOOD)


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("bad"), BAD)


def test_a_run_that_passes(good: Run) -> None:
    assert good.ends() == [
        ("Finds it as wanted", "ok"),
        ("Changes", "changed"),
        ("Goes round", "changed"),
        ("Handle", "ok"),
        ("Is skipped", "skipped"),
        ("Goes round in secret", "changed"),
    ]
    begins = [e for e in good.tasks if e["state"] == "begin"]
    assert [e["index"] for e in begins] == [1, 2, 3, 4, 5, 6]
    assert [e["total"] for e in begins] == [5, 5, 5, 6, 6, 6], "a handler counts from its start"
    assert all(e["seconds"] >= 0 for e in good.tasks if e["state"] != "begin")
    assert good.counts == {"ok": 2, "changed": 3, "failed": 0, "skipped": 1}
    assert good.detail("Goes round") == "two"
    assert "'a' == 'b'" in good.detail("Is skipped")


def test_output_is_for_people(good: Run) -> None:
    assert "PLAY [Good]" in good.output and "TASK [Goes round]" in good.output
    assert "changed: [localhost] => (item=two)" in good.output and "RUNNING HANDLER [Handle]" in good.output
    assert "\x1e" not in good.output and '"ev"' not in good.output
    logged = "\n".join(e["text"] for e in good.events if e["kind"] == "log")
    assert "TASK [Goes round]" in logged and "\x1e" not in logged


def test_a_run_that_fails_says_why(bad: Run) -> None:
    assert bad.ends() == [("Fails in secret", "failed"), ("Fails in a loop", "failed")]
    assert bad.failed and bad.failed.code == "ansible_failed"
    assert bad.failed.detail.startswith("Fails in a loop: /nowhere/at-all: ")
    assert "No such file or directory" in bad.failed.detail
    assert bad.failed.counts == {"ok": 0, "changed": 0, "failed": 1, "skipped": 0}
    assert "No such file or directory" in bad.output


def test_no_log_is_kept(good: Run, bad: Run) -> None:
    for run in (good, bad):
        assert SECRET not in run.text
        assert "no_log" in run.text


def test_an_unknown_number_of_tasks_is_said_to_be_unknown(tmp_path: Path) -> None:
    run = Run(tmp_path, DYNAMIC)
    assert {e["total"] for e in run.tasks} == {None}
    assert ("More", "ok") in run.ends()


def test_modules_are_forks_that_differ_in_nothing_they_could_see(tmp_path: Path) -> None:
    run = Run(tmp_path, FORKED)
    assert run.failed is None, run.text
    own, other = (json.loads((run.work / f"{name}.json").read_text()) for name in ("own", "other"))
    assert Path(own["basic"]).resolve().is_relative_to(VENV.resolve())
    assert ".zip" in other["basic"]
    # But for the name of the folder that the archive was written to.
    alike = [[re.sub("own_payload_[^/]*", "", entry) for entry in one["path"] + one["argv"]] for one in (own, other)]
    assert alike[0] == alike[1]
    assert own["main"] == other["main"] == "__main__"
    # Not in that of Ansible, whose process group a cancel ends at once.
    assert os.getsid(0) not in (own["session"], other["session"])
    names = {line.partition("=")[0] for line in (run.work / "env").read_text().splitlines()}
    assert not names & {"PYTHONPATH", "VAULT_CUBE_FORKSERVER"}
    fds = (run.work / "fd").read_text()
    assert [line for line in fds.splitlines() if "socket" in line or "memfd" in line or "pidfd" in line] == []
    assert (run.work / "umask").read_text().strip() == "0022"
    why, code = json.loads((run.work / "told.json").read_text())
    assert "none/own.json" in why
    assert code == 128 + 15
    assert run.work.joinpath("other.json").exists()


def test_archives_of_modules_are_kept_for_the_next_run(tmp_path: Path) -> None:
    def kept() -> dict[str, int]:
        return {path.name.split("-")[0]: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*DEFLATED*none")}

    run = Run(tmp_path, GOOD)
    made = kept()
    assert {name.split(".")[-1] for name in made} >= {"file", "command"}
    run.play(tmp_path / "again")
    assert (run.failed, kept()) == (None, made)


def test_modules_do_without_where_it_is_not_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    half = tmp_path / "half"
    (half / "ansible" / "module_utils").mkdir(parents=True)
    for name in ("", "module_utils/"):
        (half / "ansible" / name / "__init__.py").write_text("")
    server, variables = playbook.forking(VENV)
    monkeypatch.setattr(playbook, "forking", lambda *_: ([*server[:-1], str(half)], variables))
    run = Run(tmp_path, FORKED)
    assert run.failed is None, run.text
    assert "modules start anew each time" in run.text
    assert ".zip" in json.loads((run.work / "own.json").read_text())["basic"]
