"""A job that computes on a GPU is cancelled, by hand on a machine that has one: how long until "cancelled", and what is left.

`python3 tests/bench/gpu_cancel.py [RUNS]`, as root, with PyTorch in the Python that runs it. The box's own stage0, launch, runner and
supervisor, in a temporary folder; only the work of the job is this file's: two processes that fill memory of every GPU and multiply
matrices without end, one of them deaf to SIGTERM. Prints a bar line; exit 1 when it is missed.
"""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2] / "resources" / "box"
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


def archive(path: Path) -> str:
    """The box's code, with this file's work in place of the link test's; returns the archive's SHA-256."""
    with tarfile.open(path, "w") as tar:
        for file in sorted((SOURCE / "vcbox").rglob("*.py")):
            name = str(file.relative_to(SOURCE))
            data = WORK.encode() if name == "vcbox/kinds/selftest.py" else file.read_bytes()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def used() -> list[int]:
    return [
        int(line) for line in subprocess.run(SMI, capture_output=True, text=True, check=True).stdout.split()
    ]


def wait_for(what: str, condition: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not within {seconds:g} s")
        time.sleep(0.02)


def processes(tag: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if tag.encode() in path.read_bytes() and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def once(base: Path) -> float:
    """One job, cancelled while it computes; returns the seconds from the control file to its `result.json`."""
    tar, spec_path, ready, hold = (base / name for name in ("box.tar", "spec.json", "ready", "hold.py"))
    hold.write_text(HOLD)
    sha = archive(tar)
    spec = {
        "v": 1,
        "job": str(uuid.uuid4()),
        "attempt": 1,
        "kind": "selftest",
        "title": "Compute on every GPU",
    }
    spec |= {
        "laptop": {"name": "here", "user": "engineer"},
        "params": {"argv": [sys.executable, str(hold), str(ready)]},
    }
    spec_path.write_text(json.dumps(spec))
    options = [
        "--state",
        str(base / "state"),
        "--opt",
        str(base / "opt"),
        "--group",
        "root",
        "--mode",
        "setsid",
    ]
    stage0 = (SOURCE / "vcbox" / "stage0.py").read_text()
    spec_sha = hashlib.sha256(spec_path.read_bytes()).hexdigest()
    argv = [
        sys.executable,
        "-I",
        "-c",
        stage0,
        str(tar),
        sha,
        str(spec_path),
        spec_sha,
        *options,
    ]
    before = used()
    told = json.loads(subprocess.run(argv, input=b"-\n", capture_output=True, check=False).stdout)
    if not told["ok"]:
        raise SystemExit(json.dumps(told))
    folder = Path(told["dir"])
    wait_for("both compute", lambda: ready.exists() and Path(f"{ready}.deaf").exists(), 120)
    during = used()
    begun = time.monotonic()
    (folder / "control" / "cancel").touch()
    wait_for("cancelled", lambda: (folder / "result.json").exists(), 120)
    seconds = time.monotonic() - begun
    after, left = used(), processes(str(ready))
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    notes = [e["text"] for e in events if e["kind"] == "log" and "GPU memory" in e["text"]]
    print(
        f"  {seconds:.2f} s; MiB in use {before} -> {during} -> {after}; processes left {len(left)}; {notes}"
    )
    if events[-1]["outcome"] != "cancelled" or left or any(a > b + 32 for a, b in zip(after, before)):
        print(f"  not clean: {events[-1]}")
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
