"""The role site_bundle on this machine: what is missing or damaged is sent, once; a bundle that is not whole is named."""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from project import ANSIBLE, ansible_playbook, load
from vcbox import apt

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="what the role lays belongs to root")

FILES = {"apt/a.deb": "first", "apt/Packages": "list", "images/i.tar": "image", "wheels/w.whl": "wheel"}
SETS = {"l0": ["wheels/w.whl"], "l1": ["apt/a.deb", "apt/Packages", "images/i.tar"], "l5": ["apt/Packages"]}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    files = []
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        files.append({"path": name, "size": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()})
    (folder / "manifest.json").write_text(json.dumps({"v": 1, "files": files, "sets": SETS}))
    return folder


def run(folder: Path, bundle: Path, *more: str, **variables: Any) -> tuple[int, int, str]:
    """Exit status, number of changed tasks, and what Ansible said in one line."""
    play = {"name": "Bundle", "hosts": "all", "gather_facts": False, "roles": [{"role": "site_bundle"}]}
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    given = {"site_bundle_dir": str(bundle), "site_bundle_tree": str(folder / "tree"), **variables}
    given["site_bundle_apt"] = str(folder / "apt")
    done = ansible_playbook(folder, "-c", "local", "-i", "localhost,", "-e", json.dumps(given), *more, "play.yml")
    said = re.sub(r"\s+", " ", done.stdout + done.stderr)
    found = re.search(r"changed=(\d+)", said)
    return done.returncode, int(found[1]) if found else -1, said


def tree(folder: Path) -> dict[str, str]:
    files = (p for p in (folder / "tree").rglob("*") if p.is_file())
    return {str(p.relative_to(folder / "tree")): p.read_text() for p in files}


def test_what_is_missing_or_damaged_is_sent_once(tmp_path: Path, bundle: Path) -> None:
    status, _, said = run(tmp_path, bundle)
    assert status == 0, said
    assert tree(tmp_path) == FILES
    status, changed, said = run(tmp_path, bundle)
    assert (status, changed) == (0, 0), said
    (tmp_path / "tree/apt/a.deb").write_text("other")
    (tmp_path / "tree/images/i.tar").unlink()
    status, changed, said = run(tmp_path, bundle)
    assert (status, changed) == (0, 1), said
    assert tree(tmp_path) == FILES


def test_only_the_wanted_sets_are_sent(tmp_path: Path, bundle: Path) -> None:
    status, _, said = run(tmp_path, bundle, site_bundle_sets=["l5", "l9"])
    assert status == 0, said
    assert tree(tmp_path) == {"apt/Packages": "list"}


def test_what_cannot_be_right_is_named(tmp_path: Path, bundle: Path) -> None:
    status, _, said = run(tmp_path, tmp_path / "nowhere")
    assert status != 0 and "Set site_bundle_dir to the folder" in said
    status, _, said = run(tmp_path, bundle, site_bundle_spare_gib=10**9)
    assert status != 0 and "Make room, or bring fewer sets" in said
    assert tree(tmp_path) == {}
    (bundle / "apt/a.deb").write_text("damaged on the laptop")
    status, _, said = run(tmp_path, bundle)
    assert status != 0 and "The bundle on the control node is damaged" in said and "apt/a.deb" in said


def test_check_mode_sends_nothing(tmp_path: Path, bundle: Path) -> None:
    status, _, said = run(tmp_path, bundle, "--check")
    assert status == 0, said
    assert not (tmp_path / "tree").exists()


def test_apt_reads_it_as_under_the_app() -> None:
    """The app's runner writes the same files; whichever came last, the other finds its own."""
    role = ANSIBLE / "roles" / "site_bundle"
    names = load(role / "vars" / "main.yml")
    wanted = apt.APT_CONF.format(apt=names["site_bundle_apt"])
    found = (role / "templates" / "apt.conf.j2").read_text().replace("{{ site_bundle_apt }}", names["site_bundle_apt"])
    assert found == wanted
