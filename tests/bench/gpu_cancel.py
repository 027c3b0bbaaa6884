"""A job that computes on a GPU is cancelled, by hand on a machine that has one: how long until "cancelled", and what is left.

`python3 tests/bench/gpu_cancel.py [RUNS]`, as root, with PyTorch in the Python that runs it. The box's own stage0, launch, runner and
supervisor, in a temporary folder; only the work of the job is this file's: two processes that fill memory of every GPU and multiply
matrices without end, one of them deaf to SIGTERM. Prints a bar line; exit 1 when it is missed.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "box"))
from harness import Box, box_tar, processes_of, wait_until

WANTED_SECONDS = 15.0
SMI = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]

HOLD = """
import os, signal, sys, torch
if sys.argv[1] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
held = []
for n in range(torch.cuda.device_count()):
    held.append(torch.randn(32768, 32768, device=f"cuda:{n}"))
torch.cuda.synchronize()
open(sys.argv[2], "w").close()
while True:
    for m in held:
        m @ m
"""

WORK = """
from vcbox import process

BOTH = 'setsid "$0" "$1" deaf "$2.deaf" & exec "$0" "$1" plain "$2"'


def run(ctx):
    with ctx.step("hold", "Compute on every GPU"):
        process.run(ctx, ["sh", "-c", BOTH, *ctx.params["argv"]], env={"HOME": "/root"})
"""


def used() -> list[int]:
    """MiB in use of each GPU."""
    return [
        int(line) for line in subprocess.run(SMI, capture_output=True, text=True, check=True).stdout.split()
    ]


def command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def once(base: Path) -> float:
    """One job, cancelled while it computes; returns the seconds from the control file to its `result.json`, inf when it left anything."""
    hold, ready = base / "hold.py", base / "ready"
    hold.write_text(HOLD)
    box = Box(base, [])
    # The one kind of job that the box knows and that asks for nothing else.
    box.tar.write_bytes(box_tar({"vcbox/kinds/selftest.py": WORK}))
    before = used()
    folder = box.start("selftest", {"argv": [sys.executable, str(hold), str(ready)]})
    wait_until("both compute", lambda: ready.exists() and Path(f"{ready}.deaf").exists(), 120)
    during = used()
    begun = time.monotonic()
    (folder / "control" / "cancel").touch()
    found = box.wait(folder, 120)
    seconds = time.monotonic() - begun
    # Its runner writes the result and then ends, too: what is meant is the work.
    after, left = used(), [pid for pid in processes_of(folder) if str(hold) in command(pid)]
    notes = [e["text"] for e in found if e["kind"] == "log" and "GPU memory" in e["text"]]
    print(
        f"  {seconds:.2f} s; MiB in use {before} -> {during} -> {after}; processes left {len(left)}; {notes}"
    )
    if found[-1]["outcome"] != "cancelled" or left or any(a > b + 32 for a, b in zip(after, before)):
        print(f"  not clean: {found[-1]}")
        return float("inf")
    return seconds


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    longest = 0.0
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            longest = max(longest, once(Path(folder)))
    met = longest < WANTED_SECONDS
    print(
        f'bar: cancel to "cancelled" with processes on the GPU, longest of {runs}: '
        f"measured {longest:.2f} s, wanted < {WANTED_SECONDS:g} s: {'met' if met else 'missed'}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
