"""Takes the collections that the roles need out of PyPI's `ansible` wheel: <wheel> <collections/requirements.yml> <out.tar.xz>.

Each must be in the wheel at the version the list names.
"""

import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path

import yaml


def take(wheel: str, wanted: str, out: str) -> None:
    asked = yaml.safe_load(Path(wanted).read_text())["collections"]
    with zipfile.ZipFile(wheel) as z, tarfile.open(out, "w:xz", preset=4) as tar:
        for collection in asked:
            folder = "ansible_collections/" + collection["name"].replace(".", "/") + "/"
            found = json.loads(z.read(folder + "MANIFEST.json"))["collection_info"]["version"]
            if found != collection["version"]:
                sys.exit(f"{wheel} has {collection['name']} {found}, not {collection['version']}")
            for name in sorted(n for n in z.namelist() if n.startswith(folder) and not n.endswith("/")):
                entry = tarfile.TarInfo(name)
                data = z.read(name)
                entry.size = len(data)
                entry.mode = 0o755 if z.getinfo(name).external_attr >> 16 & 0o100 else 0o644
                tar.addfile(entry, io.BytesIO(data))


if __name__ == "__main__":
    take(*sys.argv[1:])
