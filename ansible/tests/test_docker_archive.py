"""The module that loads images, against a stand-in `docker` that keeps its images in a folder. The rig has the real one."""

import hashlib
import importlib.util
import io
import json
import os
import tarfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from project import ANSIBLE

# inspect NAME prints what lies under the name; load copies what the test put beside the archive, and counts.
DOCKER = """#!/bin/sh
set -eu
case "$1 $2" in
"image inspect") cat "{store}/$(echo "$3" | tr '/:' '__')" ;;
"image load") echo load >>"{store}/loads"; cp "{store}/after/"* "{store}/" ;;
*) echo "unexpected: $*" >&2; exit 64 ;;
esac
"""
SOURCE = ANSIBLE / "roles" / "base_system" / "library" / "docker_archive.py"
LAYERS = ["sha256:" + "1" * 64]
TAG = "vault-cube/hello:1"


def load_module() -> Any:
    spec = importlib.util.spec_from_file_location("docker_archive", SOURCE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Case:
    def __init__(self, base: Path, tags: list[str] | None = None, index: bool = False) -> None:
        self.base, self.store = base, base / "store"
        (self.store / "after").mkdir(parents=True)
        (base / "bin").mkdir()
        docker = base / "bin" / "docker"
        docker.write_text(DOCKER.format(store=self.store))
        docker.chmod(0o755)
        config = json.dumps({"rootfs": {"type": "layers", "diff_ids": LAYERS}}).encode()
        self.id = hashlib.sha256(config).hexdigest()
        self.manifest = "sha256:" + "2" * 64
        files = {f"{self.id}.json": config}
        files["manifest.json"] = json.dumps([{"Config": f"{self.id}.json", "RepoTags": tags, "Layers": []}]).encode()
        if index:
            files["index.json"] = json.dumps({"manifests": [{"digest": self.manifest}]}).encode()
        self.path = base / "image.tar"
        with tarfile.open(self.path, "w") as tar:
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        self.name = (tags or [f"sha256:{self.id}"])[0]
        self.show(self.store / "after", {"Id": f"sha256:{self.id}"})

    def show(self, folder: Path, image: dict[str, Any]) -> None:
        (folder / self.name.replace("/", "_").replace(":", "_")).write_text(json.dumps([image]))

    def run(self, check: bool = False) -> dict[str, Any]:
        """The module's answer, run in this process with the stand-in first on PATH."""
        out = io.StringIO()
        given = {"path": str(self.path), "_ansible_check_mode": check}
        with pytest.MonkeyPatch.context() as patch, patch_module_args(given), redirect_stdout(out):
            patch.setenv("PATH", f"{self.base / 'bin'}:{os.environ['PATH']}")
            with pytest.raises(SystemExit):
                load_module().main()
        return json.loads(out.getvalue())

    def loads(self) -> int:
        path = self.store / "loads"
        return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.parametrize("tags", [[TAG], None])
def test_a_missing_image_is_loaded_once(tmp_path: Path, tags: list[str] | None) -> None:
    case = Case(tmp_path, tags)
    first = case.run()
    assert (first["changed"], first["images"], first["missing"]) == (True, [case.name], [case.name])
    second = case.run()
    assert (second["changed"], second["missing"], case.loads()) == (False, [], 1)


def test_another_image_of_the_same_name_is_replaced(tmp_path: Path) -> None:
    case = Case(tmp_path, [TAG])
    case.show(case.store, {"Id": "sha256:" + "3" * 64, "RootFS": {"Layers": LAYERS}})
    assert case.run()["changed"] is True
    assert case.run()["changed"] is False


def test_check_mode_foresees_and_loads_nothing(tmp_path: Path) -> None:
    case = Case(tmp_path, [TAG])
    assert case.run(check=True)["changed"] is True
    assert case.loads() == 0


@pytest.mark.parametrize("shown", ["manifest", "layers"])
def test_containerds_store_names_images_differently(tmp_path: Path, shown: str) -> None:
    case = Case(tmp_path, [TAG], index=shown == "manifest")
    image = {"Id": case.manifest, "Descriptor": {"digest": case.manifest}, "RootFS": {"Layers": LAYERS}}
    case.show(case.store, image)
    assert case.run()["changed"] is False
    assert case.loads() == 0


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    case = Case(tmp_path, [TAG])
    case.path.write_bytes(b"no tar")
    assert "image.tar is no archive of docker save" in case.run()["msg"]
