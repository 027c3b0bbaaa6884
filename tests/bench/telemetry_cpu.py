"""What telemetry costs the box: processor time of our processes while a job watches the GPUs, and of nvidia-smi beside them.

`python3 tests/bench/telemetry_cpu.py [--seconds 60] [--hz 1] [--stand-in]`, as root. The box's own stage0, launch, runner, supervisor
and follower in a temporary folder; on a machine with NVIDIA's driver its own nvidia-smi is asked, else (or with --stand-in) the
stand-in, whose cost says nothing of the real one's. Prints a bar line; exit 1 when it is missed.
"""

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "box"))
from harness import (
    FIXTURES,
    REPO,
    SOURCE,
    Box,
    Follower,
    box_tar,
    events,
    processes_of,
    wait_until,
)

WANTED_PERCENT = 1.0
STAND_IN = REPO / "tests" / "rig" / "standin" / "nvidia_smi.py"
RECORDED = FIXTURES / "nvidia-smi-2xh100"
TICK = os.sysconf("SC_CLK_TCK")
# Until the runner has started and said so.
SETTLE_SECONDS = 3.0


def with_stand_in() -> dict[str, str]:
    """The box's code with the stand-in in nvidia-smi's place: a file of the archive that is another then."""
    text = (SOURCE / "vcbox" / "telemetry.py").read_text()
    words = f'["/usr/bin/env", "STAND_IN_DATA={RECORDED}", "{sys.executable}", "{STAND_IN}", query'
    found = text.replace('["nvidia-smi", query', words)
    assert found != text
    return {"vcbox/telemetry.py": found}


def spent(pid: int) -> float:
    """Processor seconds of a process so far; 0 for one that ended."""
    try:
        cells = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(cells[11]) + int(cells[12])) / TICK


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def theirs(pid: int) -> bool:
    return "--query-gpu" in command(pid)


def measure(seconds: float, hz: float, stand_in: bool) -> tuple[float, float, int]:
    """Per cent of one core that ours and nvidia-smi took, and how many rows came."""
    with tempfile.TemporaryDirectory() as base:
        box = Box(Path(base), [])
        if stand_in:
            box.tar.write_bytes(box_tar(with_stand_in()))
        telemetry = {"hz": hz, "seconds": seconds + 2 * SETTLE_SECONDS}
        params = {
            "suite": "gpu-detection",
            "checks": ["gpu_compute_mode"],
            "profile": {},
            "telemetry": telemetry,
        }
        folder = box.start("checks", params)
        follower = Follower(folder, 0, 0, "-")
        reader = threading.Thread(
            target=follower.read_all, args=(seconds + 60,), daemon=True
        )
        reader.start()
        try:
            wait_until(
                "nvidia-smi", lambda: any(theirs(p) for p in processes_of(folder)), 60
            )
            time.sleep(SETTLE_SECONDS)
            pids = [*processes_of(folder), follower.process.pid]
            before = {p: spent(p) for p in pids}
            begun = time.monotonic()
            time.sleep(seconds)
            took = time.monotonic() - begun
            used = {p: spent(p) - before[p] for p in pids}
            if any(spent(p) == 0 and before[p] > 0 for p in pids):
                raise SystemExit("a process ended while it was measured")
            parts = {p: 100 * used[p] / took for p in pids}
            for p in pids:
                print(f"  {parts[p]:.2f} % {command(p)[:100]}")
            rows = sum(len(e["rows"]) for e in events(folder) if e["kind"] == "samples")
            ours = sum(v for p, v in parts.items() if not theirs(p))
            return ours, sum(v for p, v in parts.items() if theirs(p)), rows
        finally:
            (folder / "control" / "cancel").touch()
            reader.join(30)
            follower.process.kill()
            box.stop_all()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--hz", type=float, default=1.0)
    parser.add_argument("--stand-in", action="store_true")
    args = parser.parse_args()
    stand_in = args.stand_in or shutil.which("nvidia-smi") is None
    ours, other, rows = measure(args.seconds, args.hz, stand_in)
    met = rows > 0 and ours < WANTED_PERCENT
    print(
        f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {rows} rows"
    )
    print(
        f"nvidia-smi{' (stand-in)' if stand_in else ''} itself: {other:.2f} % of a core"
    )
    print(
        f"bar: telemetry at {args.hz:g} Hz, ours: measured {ours:.2f} % of a core, wanted < {WANTED_PERCENT:g} %: "
        f"{'met' if met else 'missed'}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
