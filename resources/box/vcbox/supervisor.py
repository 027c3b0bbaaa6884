"""Watches for `control/cancel` apart from the runner, and ends what the job has running.

Started by the runner before any work. stdin is a pipe from the runner: a line `sweep` asks for the same without a cancel,
end of file means that the runner is gone. stdout tells the runner what happens, one JSON object a line.
"""

import argparse
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from vcbox import procs

POLL_SECONDS = 0.1
TERM_GRACE_SECONDS = 5.0
# A dpkg that is killed leaves packages half configured; one package's scripts seldom take longer than this.
DPKG_GRACE_SECONDS = 120.0


class Supervisor:
    def __init__(self, folder: Path, runner: int, cgroup: Path | None, tag: str) -> None:
        self.folder = folder
        self.runner = runner
        self.cgroup = cgroup
        self.tag = tag

    def tell(self, **message: object) -> None:
        try:
            os.write(1, (json.dumps(message) + "\n").encode())
        except OSError:
            pass  # the runner is gone; the work here goes on

    def members(self) -> dict[int, procs.Stat]:
        found = procs.members(self.runner, self.cgroup, self.tag)
        found.pop(os.getpid(), None)
        return found

    def kill(self, pids: list[int] | set[int], number: int) -> None:
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def let_dpkg_end(self) -> None:
        """apt stops after its running dpkg when it gets SIGINT; dpkg itself is left alone until then."""
        deadline = time.monotonic() + DPKG_GRACE_SECONDS
        interrupted: set[int] = set()
        told = False
        while time.monotonic() < deadline:
            table = self.members()
            dpkg = [s for s in table.values() if s.name == "dpkg"]
            if not dpkg:
                return
            if not told:
                told = True
                text = f"dpkg (process {dpkg[0].pid}) ends its step first, for at most {DPKG_GRACE_SECONDS:.0f} s"
                self.tell(s="note", text=text)
            above = set().union(*(procs.ancestors(s.pid, table) for s in dpkg))
            apt = {p for p in above if p in table and table[p].name.startswith("apt")} - interrupted
            self.kill(apt, signal.SIGINT)
            interrupted |= apt
            time.sleep(POLL_SECONDS)
        self.tell(s="note", text=f"dpkg did not end within {DPKG_GRACE_SECONDS:.0f} s and is killed")

    def sweep(self, grace: float) -> None:
        """Ends every process of the job but the runner and this one; returns when none is left."""
        self.let_dpkg_end()
        self.kill(set(self.members()), signal.SIGTERM)
        deadline = time.monotonic() + grace
        while self.members() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS / 2)
        left = self.members()
        if left:
            names = ", ".join(sorted({s.name for s in left.values()}))
            self.tell(s="note", text=f"still there after {grace:.0f} s and killed: {names}")
        while left:
            self.kill(set(left), signal.SIGKILL)
            time.sleep(POLL_SECONDS / 5)
            left = self.members()
        self.remove_containers()

    def remove_containers(self) -> None:
        """Containers belong to the Docker daemon's cgroup; the job's are found by their label."""
        docker = shutil.which("docker")
        if not docker or not Path("/run/docker.sock").exists():
            return
        label = f"label=vault-cube.job={self.tag.rsplit('.', 1)[0]}"
        try:
            listed = subprocess.run(
                [docker, "ps", "-aq", "--filter", label],
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
            )
            ids = listed.stdout.split()
            if ids:
                subprocess.run([docker, "rm", "-f", *ids], capture_output=True, timeout=60, check=False)
                self.tell(s="note", text=f"{len(ids)} container(s) of this job removed")
        except (OSError, subprocess.TimeoutExpired) as e:
            self.tell(s="note", text=f"containers of this job could not be looked for: {e}")

    def watch(self) -> int:
        self.tell(s="ready")
        cancel = self.folder / "control" / "cancel"
        done = False
        while True:
            if not done and cancel.exists():
                done = True
                self.tell(s="cancelling")
                self.sweep(TERM_GRACE_SECONDS)
                self.tell(s="gone")
            if select.select([0], [], [], POLL_SECONDS)[0]:
                word = os.read(0, 64)
                if not word:
                    self.sweep(1.0)
                    return 0
                self.sweep(TERM_GRACE_SECONDS)
                self.tell(s="gone")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--runner", type=int, required=True)
    parser.add_argument("--cgroup", default="")
    parser.add_argument("--tag", required=True)
    args = parser.parse_args(argv)
    # A stop of the whole group is meant for the work; this one ends when the runner does.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    return Supervisor(args.dir, args.runner, Path(args.cgroup) if args.cgroup else None, args.tag).watch()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
