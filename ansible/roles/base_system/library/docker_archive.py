#!/usr/bin/python
"""Loads a `docker save` archive into Docker unless all its images are there already."""

from __future__ import annotations

import json
import tarfile
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
---
module: docker_archive
short_description: Images of a docker save archive are in Docker
description:
  - Reads the archive's own list of images and asks the Docker daemon for each; loads the archive only if one is missing or
    another image bears its name. Modules that always load would change something on every run.
  - Needs the C(docker) command and a running daemon, and no Python packages.
options:
  path:
    description: The archive on the box, uncompressed as C(docker save) writes it, or compressed.
    type: path
    required: true
attributes:
  check_mode:
    support: full
author:
  - Vault Cube Provisioner
"""

EXAMPLES = r"""
- name: Image for the container test
  docker_archive:
    path: /srv/images/busybox.tar
"""

RETURN = r"""
images:
  description: Each image of the archive, by its names or, without any, by its digest.
  type: list
  elements: str
  returned: success
missing:
  description: Those of them that were not there before.
  type: list
  elements: str
  returned: success
"""


def read_json(tar: tarfile.TarFile, name: str) -> Any:
    member = tar.extractfile(name)
    if member is None:
        raise ValueError(f"{name} is no file")
    with member:
        return json.load(member)


def digest(config: str) -> str:
    """The image's ID, from the name of its configuration in the archive: `<hex>.json` or `blobs/sha256/<hex>`."""
    return "sha256:" + config.rpartition("/")[2].removesuffix(".json")


def read_archive(path: str) -> list[dict[str, Any]]:
    """`[{names, ids, layers}]`: how to ask for each image, and what makes it this one.

    Docker's classic store knows an image by the digest of its configuration, containerd's by that of its manifest, which
    only newer archives carry; the layers are the same in both.
    """
    with tarfile.open(path) as tar:
        entries = read_json(tar, "manifest.json")
        manifests = []
        if "index.json" in tar.getnames():
            manifests = [m["digest"] for m in read_json(tar, "index.json").get("manifests", [])]
        found = []
        for entry in entries:
            own = digest(entry["Config"])
            layers = read_json(tar, entry["Config"])["rootfs"]["diff_ids"]
            found.append({"names": entry.get("RepoTags") or [own], "ids": [own, *manifests], "layers": layers})
        return found


def is_same(shown: dict[str, Any], image: dict[str, Any]) -> bool:
    """Whether what the daemon shows under the name is the archive's image."""
    if shown.get("Id") in image["ids"]:
        return True
    return "Descriptor" in shown and (shown.get("RootFS") or {}).get("Layers") == image["layers"]


def main() -> None:
    module = AnsibleModule(argument_spec={"path": {"type": "path", "required": True}}, supports_check_mode=True)
    path = module.params["path"]
    try:
        images = read_archive(path)
    except (OSError, tarfile.TarError, KeyError, ValueError) as e:
        module.fail_json(msg=f"{path} is no archive of docker save: {e}")
    docker = module.get_bin_path("docker", required=True)
    names, missing = [], []
    for image in images:
        for name in image["names"]:
            status, out, _ = module.run_command([docker, "image", "inspect", name])
            names.append(name)
            if status or not is_same(json.loads(out)[0], image):
                missing.append(name)
    if missing and not module.check_mode:
        status, out, err = module.run_command([docker, "image", "load", "--quiet", "--input", path])
        if status:
            module.fail_json(msg=f"docker image load ended with {status}: {(err or out).strip()}")
    module.exit_json(changed=bool(missing), images=names, missing=missing)


if __name__ == "__main__":
    main()
