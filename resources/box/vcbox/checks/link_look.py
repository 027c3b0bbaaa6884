"""The PCIe links while data goes over them, for cards whose link rests at idle. Not a check itself."""

import contextlib
import os
import select
import subprocess
import sys
from pathlib import Path

from vcbox import linkload, procs
from vcbox.checks.base import Look, Raw
from vcbox.launch import CLEAN_ENV
from vcbox.parsers.nvidia_smi import cell_value, parse_csv_row
from vcbox.parsers.pci import address

LOOKS = 4
LOAD_SECONDS = 12.0
START_SECONDS = 30.0
END_SECONDS = 5.0
QUERY = (
    "nvidia-smi",
    "--query-gpu=pci.bus_id,pcie.link.gen.current,pcie.link.width.current",
    "--format=csv,noheader,nounits",
)


def load_command() -> list[str]:
    return [sys.executable, "-I", str(Path(linkload.__file__)), str(LOAD_SECONDS)]


def under_load(look: Look) -> Raw:
    """`{links: {address: [generation, width]}, why}`: the best of some looks, since a link comes up after its load does."""
    env = {**CLEAN_ENV, procs.TAG: os.environ.get(procs.TAG, "")}
    try:
        child = subprocess.Popen(
            load_command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=env,
        )
    except OSError as e:
        return {"links": {}, "why": f"the copying program does not start: {e.strerror}"}
    try:
        assert child.stdout and child.stderr
        ready = select.select([child.stdout], [], [], START_SECONDS)[0]
        if not ready or child.stdout.readline().strip() != "copying":
            child.kill()
            said = child.stderr.read().strip() if ready else f"nothing within {START_SECONDS:g} s"
            return {"links": {}, "why": f"no data could be sent to the cards: {said[:200]}"}
        return {"links": _best(look, child), "why": None}
    finally:
        child.kill()
        # One that hangs in the driver outlives this.
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(END_SECONDS)


def _best(look: Look, child: subprocess.Popen[str]) -> dict[str, list[int]]:
    best: dict[str, list[int]] = {}
    for _ in range(LOOKS):
        status, out, _ = look.run(QUERY, START_SECONDS)
        if status or child.poll() is not None:
            break
        for line in out.splitlines():
            bus, *values = parse_csv_row(line)
            found = [cell_value(v) for v in values]
            if len(found) == 2 and all(isinstance(v, int) for v in found):
                best[address(bus)] = max(best.get(address(bus), [0, 0]), found)
    return best
