"""Where the validation commands take the code of the checks from: laid on the box by the app, named, or copied from this checkout."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from project import ANSIBLE, REPO, ansible_playbook, load

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="what the role lays belongs to root")


def run(folder: Path, **variables: str) -> tuple[int, str]:
    """The role's task file with its link below `folder`; the exit status, and what Ansible said."""
    part = {"name": "monitoring", "tasks_from": "code.yml"}
    tasks = [{"name": "Code", "ansible.builtin.import_role": part}]
    play = {"name": "Code", "hosts": "all", "gather_facts": False, "tasks": tasks}
    (folder / "play").mkdir(exist_ok=True)
    (folder / "play" / "code.yml").write_text(yaml.safe_dump([play]))
    given = {"monitoring_current": str(folder / "box" / "current"), **variables}
    more = [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
    done = ansible_playbook(folder, "-c", "local", "-i", "localhost,", *more, "play/code.yml")
    return done.returncode, done.stdout + done.stderr


def changed(said: str) -> int:
    found = re.search(r"changed=(\d+)", said)
    assert found, said
    return int(found[1])


def runs(folder: Path) -> str:
    """What the code behind the link says of a suite, whose program must lie beside it, too."""
    main = str(folder / "box" / "current" / "vcbox" / "__main__.py")
    command = ["python3", "-I", "-B", main, "test", "stress", "--list"]
    assert (folder / "box" / "current" / "vcload" / "soak.py").is_file()
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def test_from_a_checkout_it_is_copied_once(tmp_path: Path) -> None:
    checkout = {"monitoring_checkout": str(REPO / "resources" / "box" / "vcbox")}
    status, said = run(tmp_path, **checkout)
    assert status == 0, said
    assert os.readlink(tmp_path / "box" / "current") == str(tmp_path / "box" / "fleet")
    assert "The soak ran to its end" in runs(tmp_path)
    status, said = run(tmp_path, **checkout)
    assert (status, changed(said)) == (0, 0), said


def test_on_the_box_it_is_linked(tmp_path: Path) -> None:
    # As the app lays it: vcbox/ and vcload/ beside the project.
    for name in ("vcbox", "vcload"):
        (tmp_path / name).symlink_to(REPO / "resources" / "box" / name)
    status, said = run(tmp_path)
    assert status == 0, said
    assert os.readlink(tmp_path / "box" / "current") == str(tmp_path)
    assert "The soak ran to its end" in runs(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("vcbox", "vcload"):
        (elsewhere / name).symlink_to(REPO / "resources" / "box" / name)
    status, said = run(tmp_path, monitoring_box_code=str(elsewhere))
    assert (status, changed(said)) == (0, 1), said
    assert os.readlink(tmp_path / "box" / "current") == str(elsewhere)


def test_without_it_the_role_says_so_and_lays_nothing(tmp_path: Path) -> None:
    status, said = run(tmp_path)
    assert status != 0 and "set monitoring_box_code" in re.sub(r"\s+", " ", said)
    assert not (tmp_path / "box").exists()


def test_the_checkout_is_where_the_role_looks() -> None:
    names = load(ANSIBLE / "roles" / "monitoring" / "vars" / "main.yml")
    assert names["monitoring_beside"] == "{{ playbook_dir | dirname }}"
    assert names["monitoring_checkout"] == "{{ monitoring_beside }}/resources/box/vcbox"
    assert (ANSIBLE.parent / "resources" / "box" / "vcbox" / "__main__.py").is_file()
    assert (ANSIBLE.parent / "resources" / "box" / "vcload" / "soak.py").is_file()
