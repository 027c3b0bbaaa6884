"""A site bundle's models beside the demos: linked where the file system allows it, else copied, and once."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from project import ansible_playbook

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="what the role lays belongs to root")

FILES = {"small/config.json": "{}", "small/tokenizer/words.json": "[]", "other/model.safetensors": "weights"}


def run(folder: Path, *more: str) -> tuple[int, str]:
    """The role's task file between folders below `folder`; the number of changed tasks, and what Ansible said."""
    part = {"name": "monitoring", "tasks_from": "models.yml"}
    tasks = [{"name": "Models", "ansible.builtin.import_role": part}]
    play = {"name": "Models", "hosts": "all", "gather_facts": False, "tasks": tasks}
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    given = {"monitoring_models_dir": str(folder / "tree/models"), "monitoring_models": str(folder / "models")}
    (folder / "models").mkdir(exist_ok=True)
    done = ansible_playbook(folder, "-c", "local", "-i", "localhost,", "-e", json.dumps(given), *more, "play.yml")
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    found = re.search(r"changed=(\d+)", said)
    assert found, said
    return int(found[1]), said


def fetched(folder: Path) -> Path:
    tree = folder / "tree/models"
    for name, text in FILES.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    return tree


def placed(folder: Path) -> dict[str, str]:
    models = folder / "models"
    return {str(p.relative_to(models)): p.read_text() for p in models.rglob("*") if p.is_file()}


def test_models_are_linked_once_and_mended(tmp_path: Path) -> None:
    tree = fetched(tmp_path)
    assert run(tmp_path)[0] > 0
    assert placed(tmp_path) == FILES
    assert all((tree / name).samefile(tmp_path / "models" / name) for name in FILES)
    assert run(tmp_path)[0] == 0
    (tmp_path / "models/small/config.json").unlink()
    (tmp_path / "models/other/model.safetensors").unlink()
    (tmp_path / "models/other/model.safetensors").write_text("of somebody")
    (tmp_path / "models/mine").mkdir()
    (tmp_path / "models/mine/config.json").write_text("mine")
    changed, _ = run(tmp_path, "--check")
    assert changed > 0 and len(placed(tmp_path)) == 3
    assert run(tmp_path)[0] > 0
    assert placed(tmp_path) == {**FILES, "mine/config.json": "mine"}


def test_on_another_file_system_they_are_copied_once(tmp_path: Path) -> None:
    fetched(tmp_path)
    (tmp_path / "models").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", str(tmp_path / "models")], check=True)
    try:
        assert run(tmp_path)[0] > 0
        assert placed(tmp_path) == FILES
        assert run(tmp_path)[0] == 0
        (tmp_path / "models/small/config.json").write_text("short")
        assert run(tmp_path)[0] == 1
        assert placed(tmp_path) == FILES
    finally:
        subprocess.run(["umount", str(tmp_path / "models")], check=True)


def test_a_bundle_without_models_changes_nothing(tmp_path: Path) -> None:
    assert run(tmp_path)[0] == 0
    assert placed(tmp_path) == {}
