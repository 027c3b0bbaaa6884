"""The roles as files: every default is declared, nothing is swept under a carpet, everything parses."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from project import ANSIBLE, ROLES, ansible_playbook, load, task_files, tasks_of

ABSENT = object()
# Modules of the roles themselves.
OWN = {path.stem for role in ROLES for path in (role / "library").glob("*.py")}


def options(role: Path) -> dict[str, dict[str, Any]]:
    return load(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]


def named(path: Path) -> str:
    return str(path.relative_to(ANSIBLE))


@pytest.mark.parametrize("role", ROLES, ids=lambda r: r.name)
def test_argument_specs_cover_every_default(role: Path) -> None:
    defaults, specs = load(role / "defaults" / "main.yml"), options(role)
    assert set(defaults) == set(specs)
    types = {"str": str, "int": int, "bool": bool, "list": list, "dict": dict}
    for name, value in defaults.items():
        assert name.startswith(f"{role.name}_")
        assert specs[name]["description"] and specs[name]["type"] in types
        template = isinstance(value, str) and "{{" in value
        if value is not None and not template:
            assert isinstance(value, types[specs[name]["type"]])
        declared = specs[name].get("default", ABSENT)
        # A default in the specification would take the place of null; of a template or a table it would be a second copy.
        if declared is not ABSENT:
            assert declared == value


@pytest.mark.parametrize("role", ROLES, ids=lambda r: r.name)
def test_every_default_has_a_comment(role: Path) -> None:
    commented = False
    for line in (role / "defaults" / "main.yml").read_text().splitlines():
        if re.match(r"\w+:", line):
            assert commented, line
        elif not line.strip():
            commented = False
        elif line.startswith("#"):
            commented = True


@pytest.mark.parametrize("path", task_files(), ids=named)
def test_tasks_hide_nothing(path: Path) -> None:
    for task in tasks_of(load(path)):
        words = {word.rpartition(".")[2] for word in task}
        assert not words & {"ignore_errors", "ignore_unreachable", "shell", "raw"}, task["name"]
        modules = [word for word in task if "." in word or word in OWN]
        assert len(modules) == 1 or "block" in task, f"{task['name']}: modules by their full names"
        if modules and modules[0].endswith(".command"):
            assert "changed_when" in task, f"{task['name']}: says when it changed something"


@pytest.mark.parametrize("path", [p for p in task_files() if p.parent.name == "tasks"], ids=named)
def test_every_task_file_is_reached(path: Path) -> None:
    if path.name == "main.yml":
        return
    main = tasks_of(load(path.parent / "main.yml"))
    assert path.name in [task.get("ansible.builtin.import_tasks") for task in main]


def test_each_task_file_parses_alone(tmp_path: Path) -> None:
    plays = []
    for path in (p for p in task_files() if p.parent.name == "tasks"):
        part = {"name": path.parents[1].name, "tasks_from": path.name}
        tasks = [{"name": named(path), "ansible.builtin.import_role": part}]
        plays.append({"name": named(path), "hosts": "all", "gather_facts": False, "tasks": tasks})
    assert len(plays) > 10
    (tmp_path / "all.yml").write_text(yaml.safe_dump(plays, sort_keys=False))
    done = ansible_playbook(tmp_path, "--syntax-check", "-i", "localhost,", "all.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_layer_is_one_tag_and_what_is_optional_runs_only_when_named() -> None:
    plays = load(ANSIBLE / "site.yml")
    *layers, optional, last, forwarding = [play["tags"] for play in plays]
    assert layers == [[f"l{number}"] for number in range(1, len(layers) + 1)] and last == ["hardening"]
    assert optional == [f"l{len(layers) + 1}", "never"] and forwarding == ["forwarding", "never"]
    assert all(play["gather_facts"] is False and play["become"] is True for play in plays)


def test_versions_are_pinned_once() -> None:
    """The control node, the tests and the collections' list name the same versions."""
    pins = {}
    for path in (ANSIBLE / "requirements.txt", ANSIBLE.parent / "requirements-dev.txt"):
        for name, version in re.findall(r"^(ansible(?:-core)?)==(\S+)$", path.read_text(), re.MULTILINE):
            assert pins.setdefault(name, version) == version
    assert set(pins) == {"ansible", "ansible-core"}
