#!/usr/bin/python3
"""Stand-in for nvidia-container-runtime: gives a container an nvidia-smi that lists the stand-in's cards, then becomes runc.

Like the real one it goes by NVIDIA_VISIBLE_DEVICES, which Docker's `--gpus` sets, too: `all`, or cards by number or UUID.
Nothing but `nvidia-smi -L` is answered inside; no device and no library is given.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

RUNC = "/usr/bin/runc"
INSIDE = """#!/bin/sh
[ "$*" = -L ] || { echo "stand-in: in a container it knows -L only" >&2; exit 2; }
cat <<'CARDS'
CARDS_OF_THIS_CONTAINER
CARDS
"""


def bundle_of(argv: list[str]) -> Path | None:
    """The folder of the container that is to be made; None for every other command."""
    if "create" not in argv and "run" not in argv:
        return None
    for at, word in enumerate(argv):
        if word in ("--bundle", "-b"):
            return Path(argv[at + 1])
        if word.startswith("--bundle="):
            return Path(word.partition("=")[2])
    return Path.cwd()


def visible(wanted: str, cards: list[str]) -> list[str]:
    """Of the lines that `nvidia-smi -L` prints, those whose number or UUID is among the words."""
    if wanted == "all":
        return cards
    words = wanted.split(",")
    found = []
    for line in cards:
        match = re.match(r"GPU (\d+): .*\(UUID: (\S+)\)", line)
        if match and (match[1] in words or match[2] in words):
            found.append(line)
    return found


def give(folder: Path) -> None:
    """Puts the cards that the container may see before its program, as a read-only file of its own."""
    path = folder / "config.json"
    spec = json.loads(path.read_text())
    env = dict(word.partition("=")[::2] for word in spec["process"].get("env") or [])
    wanted = env.get("NVIDIA_VISIBLE_DEVICES", "")
    if wanted in ("", "void", "none"):
        return
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    if listed.returncode:
        sys.exit(f"stand-in runtime: nvidia-smi -L: {listed.stdout}{listed.stderr}")
    cards = visible(wanted, listed.stdout.splitlines())
    if not cards:
        sys.exit(f"stand-in runtime: no card is {wanted}")
    program = folder / "nvidia-smi"
    program.write_text(INSIDE.replace("CARDS_OF_THIS_CONTAINER", "\n".join(cards)))
    program.chmod(0o755)
    mount = {"destination": "/usr/bin/nvidia-smi", "type": "bind", "source": str(program), "options": ["rbind", "ro"]}
    spec["mounts"].append(mount)
    path.write_text(json.dumps(spec))


if __name__ == "__main__":
    folder = bundle_of(sys.argv[1:])
    if folder:
        give(folder)
    os.execv(RUNC, [RUNC, *sys.argv[1:]])
