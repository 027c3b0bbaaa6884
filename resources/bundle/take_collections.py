"""Takes the collections that the roles need out of PyPI's `ansible` wheel: <wheel> <out.tar.xz> <name=version>...

Each must be in the wheel in just that version. Standard library only: it runs on the laptop that builds the bundle.
"""

import io
import json
import sys
import tarfile
import zipfile


def take(wheel: str, out: str, wanted: list[str]) -> None:
    with zipfile.ZipFile(wheel) as z, tarfile.open(out, "w:xz", preset=4) as tar:
        for pin in wanted:
            name, version = pin.split("=")
            folder = "ansible_collections/" + name.replace(".", "/") + "/"
            found = json.loads(z.read(folder + "MANIFEST.json"))["collection_info"]["version"]
            if found != version:
                sys.exit(f"{wheel} has {name} {found}, not {version}")
            for path in sorted(n for n in z.namelist() if n.startswith(folder) and not n.endswith("/")):
                entry = tarfile.TarInfo(path)
                data = z.read(path)
                entry.size = len(data)
                entry.mode = 0o755 if z.getinfo(path).external_attr >> 16 & 0o100 else 0o644
                tar.addfile(entry, io.BytesIO(data))


if __name__ == "__main__":
    take(sys.argv[1], sys.argv[2], sys.argv[3:])
