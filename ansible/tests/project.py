"""What the tests of this folder share: where things lie, and a real ansible-playbook run on this machine."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

ANSIBLE = Path(__file__).resolve().parents[1]
REPO = ANSIBLE.parent
ROLES = sorted(path for path in (ANSIBLE / "roles").iterdir() if path.is_dir())
DISTRIBUTIONS = ("ubuntu-24.04", "debian-13")
# The environment that runs pytest has ansible-core, as requirements-dev.txt pins it.
VENV = Path(sys.executable).parents[1]

sys.dont_write_bytecode = True
sys.path[:0] = [str(REPO / "resources" / "box"), str(REPO / "tests" / "box")]

from vcbox.playbook import forking  # its folder is known only here

# Archives of modules, for all plays of this process.
KEPT = tempfile.TemporaryDirectory(prefix="vault-cube-modules-")


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def task_files() -> list[Path]:
    return sorted(p for role in ROLES for folder in ("tasks", "handlers") for p in (role / folder).glob("*.yml"))


def tasks_of(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All tasks of a file, those inside blocks too."""
    found = []
    for entry in entries:
        found.append(entry)
        for word in ("block", "rescue", "always"):
            found += tasks_of(entry.get(word) or [])
    return found


def ansible_playbook(folder: Path, *args: str, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    """Runs in `folder` with this project's settings, a home of its own, and nothing of the caller's environment."""
    # As on a box: a third of the time.
    server, variables = forking(VENV, Path(KEPT.name))
    env = {
        "PATH": f"{VENV / 'bin'}:{path}",
        "HOME": str(folder),
        "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"),
        "ANSIBLE_HOME": str(folder / ".ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
        **variables,
    }
    argv = [*server, str(VENV / "bin" / "ansible-playbook"), *args]
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)


def try_tasks(
    folder: Path, files: list[Path], hosts: dict[str, dict[str, Any]], tasks: list[dict[str, Any]], **more: str
) -> subprocess.CompletedProcess[str]:
    """Tasks with the variables of a role's files on this machine, once a host; a host's own variables stand above these."""
    names = sorted({name for variables in hosts.values() for name in variables})
    (folder / "hosts.yml").write_text(yaml.safe_dump({"of": hosts}))
    given = {name: "{{ of[inventory_hostname]['" + name + "'] }}" for name in names}
    read = [*map(str, files), "hosts.yml"]
    play = {"name": "Try", "hosts": "all", "gather_facts": False, "vars_files": read, "tasks": tasks}
    (folder / "try.yml").write_text(yaml.safe_dump([play], sort_keys=False))
    (folder / "vars.yml").write_text(yaml.safe_dump(given))
    inventory = ",".join(hosts) + ","
    return ansible_playbook(folder, "-c", "local", "-i", inventory, "-e", "@vars.yml", "try.yml", **more)
