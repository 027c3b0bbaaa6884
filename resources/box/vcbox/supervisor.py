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

from vcbox import gpumemory, power, procs

POLL_SECONDS = 0.1
# From a cancel to its end less than 15 s may pass: the sum of all that follows, dpkg apart.
TERM_GRACE_SECONDS = 5.0
KILL_SECONDS = 2.0
DOCKER_SECONDS = 4.0
GPU_SECONDS = 3.0
# A dpkg that is killed leaves packages half configured; one package's scripts seldom take longer than this. With all else it
# is less than two minutes. What is killed is half configured, and configured by the next attempt.
DPKG_GRACE_SECONDS = 100.0
# A `docker run` that was killed may have asked for a container that is only made now.
DOCKER_LATE_SECONDS = 0.5


class Supervisor:
    def __init__(self, folder: Path, runner: int, cgroup: Path | None, tag: str) -> None:
        self.folder = folder
        self.runner = runner
        self.cgroup = cgroup
        self.tag = tag
        self.memory = gpumemory.Reading()
        # What could not be ended, as text for people.
        self.left: list[str] = []

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
        work = self.members()
        clients = any(s.name == "docker" for s in work.values())
        self.kill(set(work), signal.SIGTERM)
        deadline = time.monotonic() + grace
        while self.members() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS / 2)
        left = self.members()
        if left:
            names = ", ".join(sorted({s.name for s in left.values()}))
            self.tell(s="note", text=f"still there after {grace:.0f} s and killed: {names}")
        deadline = time.monotonic() + KILL_SECONDS
        while left and time.monotonic() < deadline:
            self.kill(set(left), signal.SIGKILL)
            time.sleep(POLL_SECONDS / 5)
            left = self.members()
        for s in left.values():
            # Only the kernel can keep a killed process, as it does when a card no longer answers.
            self.left.append(f"{s.name} (process {s.pid}, state {s.state}) cannot be killed")
        self.remove_containers(clients)

    def docker(self, *argv: str) -> tuple[bool, str]:
        """Whether the command did its work, and what it said."""
        try:
            done = subprocess.run(
                ["docker", *argv], capture_output=True, text=True, timeout=DOCKER_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as e:
            return False, f"docker {argv[0]}: {type(e).__name__}"
        return done.returncode == 0, (done.stdout if done.returncode == 0 else done.stderr).strip()

    def remove_containers(self, late: bool) -> None:
        """
        Containers belong to the Docker daemon's cgroup; the job's are found by their label, whatever their restart policy, and are
        killed with their volumes. `late`: one may still come up.
        """
        if not shutil.which("docker") or not Path("/run/docker.sock").exists():
            return
        label = f"label=vault-cube.job={self.tag.rsplit('.', 1)[0]}"
        deadline = time.monotonic() + DOCKER_SECONDS
        removed: set[str] = set()
        while True:
            good, said = self.docker("ps", "-aq", "--no-trunc", "--filter", label)
            ids = said.split() if good else []
            if good and not ids:
                if not late:
                    break
                late = False
            elif time.monotonic() > deadline:
                text = (
                    f"{len(ids)} container(s) cannot be removed"
                    if good
                    else f"containers are unknown: {said[:200]}"
                )
                self.left.append(text)
                break
            if ids:
                removed.update(ids)
                self.docker("rm", "-f", "-v", *ids)
            else:
                time.sleep(DOCKER_LATE_SECONDS)
        if removed:
            self.tell(s="note", text=f"{len(removed)} container(s) of this job removed")

    def full_power(self) -> None:
        """Cards that were held to less for the job get back what they had."""
        # <state>/jobs/<job>/<attempt>
        if said := power.restore(self.folder.parents[2]):
            self.tell(s="note", text=said)

    def gone(self) -> None:
        """Tells that the job's processes and containers have ended, or which have not."""
        left, self.left = "; ".join(self.left), []
        if left:
            self.tell(s="note", text=left)
        self.tell(s="gone", left=left or None)

    def watch(self) -> int:
        self.tell(s="ready")
        cancel = self.folder / "control" / "cancel"
        done = False
        while True:
            if not done and cancel.exists():
                done = True
                self.tell(s="cancelling")
                self.sweep(TERM_GRACE_SECONDS)
                self.tell(s="note", text=gpumemory.wait_for(self.memory, GPU_SECONDS))
                self.full_power()
                self.gone()
            if select.select([0], [], [], POLL_SECONDS)[0]:
                word = os.read(0, 64)
                if not word:
                    self.sweep(1.0)
                    self.full_power()
                    return 0
                self.sweep(TERM_GRACE_SECONDS)
                self.gone()


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
