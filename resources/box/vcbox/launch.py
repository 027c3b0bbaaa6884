"""Makes the job's folder and starts its runner, or joins one that is there. Called by stage0 as root."""

import argparse
import fcntl
import grp
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from vcbox import kinds, procs
from vcbox import paths as paths_module
from vcbox.paths import Paths

START_SECONDS = 30.0
# A runner that wrote `finished` lets its lock go within moments.
ENDING_SECONDS = 10.0
UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
# Nothing of the caller's environment reaches the job.
CLEAN_ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}


class Refused(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def parse_spec(data: bytes) -> dict[str, Any]:
    """The job's specification, or Refused `spec_invalid` with what is wrong."""
    try:
        spec = json.loads(data)
    except ValueError as e:
        raise Refused("spec_invalid", f"the specification is not JSON: {e}") from e
    if not isinstance(spec, dict) or spec.get("v") != 1:
        raise Refused("spec_invalid", "the specification is not of version 1")
    attempt, laptop = spec.get("attempt"), spec.get("laptop")
    if not UUID.match(str(spec.get("job"))):
        raise Refused("spec_invalid", "job is not a UUID in lower case")
    if type(attempt) is not int or attempt < 1:
        raise Refused("spec_invalid", "attempt is not a number from 1")
    if not isinstance(spec.get("kind"), str) or kinds.module_of(spec["kind"]) is None:
        raise Refused("unknown_kind", f"this runner knows no job kind {spec.get('kind')!r}")
    if not isinstance(spec.get("title"), str) or not isinstance(spec.get("params"), dict):
        raise Refused("spec_invalid", "title or params is missing")
    if not isinstance(laptop, dict) or not all(isinstance(laptop.get(k), str) for k in ("name", "user")):
        raise Refused("spec_invalid", "laptop wants name and user")
    return spec


def group_id(name: str) -> int:
    """The group's id; the group is made where it is missing, since every file the app follows belongs to it."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        subprocess.run(
            ["groupadd", "--system", name], check=True, stdin=subprocess.DEVNULL, capture_output=True
        )
        return grp.getgrnam(name).gr_gid


def make_dir(path: Path, gid: int, mode: int) -> None:
    path.mkdir(exist_ok=True, parents=True)
    os.chown(path, 0, gid)
    os.chmod(path, mode)


def write_spec(folder: Path, data: bytes, gid: int) -> None:
    work = folder / ".spec.new"
    with open(work, "wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
    os.chown(work, 0, gid)
    os.chmod(work, 0o640)
    work.rename(folder / "spec.json")


def locked(path: Path) -> bool:
    """Whether some process holds the file's lock."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(fd)


def lock_holder(paths: Paths) -> dict[str, Any]:
    try:
        return json.loads(paths.lock.read_text())
    except (OSError, ValueError):
        return {}


def wait_until_free(paths: Paths) -> None:
    """Returns when no other job runs; Refused `box_busy` with its holder else. A job that has ended is waited for."""
    deadline = time.monotonic() + ENDING_SECONDS
    while locked(paths.lock):
        holder = lock_holder(paths)
        ended = bool(holder) and (paths.attempt(holder["job"], holder["attempt"]) / "result.json").exists()
        if time.monotonic() > deadline or (holder and not ended):
            who = f"{holder.get('user', '?')} on {holder.get('laptop', '?')}"
            text = f"The box works on {holder.get('title', 'another job')!r}, started by {who} (job {holder.get('job', '?')})."
            raise Refused("box_busy", text)
        time.sleep(0.05)


def has_started(folder: Path) -> bool:
    try:
        raw = (folder / "events.synced").read_bytes()
    except FileNotFoundError:
        return False
    return len(raw) == 8 and struct.unpack("<Q", raw)[0] > 0


def make_cgroup(unit: str) -> Path | None:
    """A cgroup v2 of the job's own, or None where the file system is not there or not writable."""
    mount = procs.unified_mount()
    if not mount:
        return None
    base = mount / "vaultcube"
    try:
        base.mkdir(exist_ok=True)
        for old in base.iterdir():
            # One that is new and empty belongs to a launch that has not put its runner in yet.
            if old.is_dir() and time.time() - old.stat().st_mtime > 2 * START_SECONDS:
                try:
                    old.rmdir()  # of a job that ended; one with processes in it refuses
                except OSError:
                    continue
        (base / unit).mkdir(exist_ok=True)
        return base / unit
    except OSError:
        return None


def start_setsid(argv: list[str], unit: str, use_cgroup: bool) -> "subprocess.Popen[bytes]":
    cgroup = make_cgroup(unit) if use_cgroup else None
    if cgroup:
        # The shell puts itself into the cgroup before it becomes the runner, so no child is ever outside it.
        argv = ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(cgroup / "cgroup.procs"), *argv]
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
        env=CLEAN_ENV,
    )


def start_systemd(argv: list[str], unit: str, title: str) -> None:
    command = [
        "systemd-run",
        f"--unit={unit}",
        "--collect",
        "--quiet",
        "--no-ask-password",
        "--slice=vaultcube.slice",
    ]
    command += ["--service-type=exec", "-p", "KillMode=control-group", "-p", "OOMPolicy=continue"]
    command += ["-p", "StandardInput=null", f"--description=Vault Cube: {title}"]
    command += [f"--setenv={k}={v}" for k, v in CLEAN_ENV.items()]
    done = subprocess.run(
        [*command, "--", *argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refused("runner_not_started", f"systemd-run: {done.stderr.strip()}")


def await_start(folder: Path, unit: str, child: "subprocess.Popen[bytes] | None") -> None:
    deadline = time.monotonic() + START_SECONDS
    asked = time.monotonic()
    while not has_started(folder):
        dead = child is not None and child.poll() is not None
        if child is None and time.monotonic() - asked > 0.5:
            asked = time.monotonic()
            state = subprocess.run(
                ["systemctl", "is-active", unit], capture_output=True, text=True, check=False
            )
            dead = state.stdout.strip() not in ("active", "activating", "reloading")
        if (dead and not has_started(folder)) or time.monotonic() > deadline:
            try:
                last = (folder / "runner.log").read_text(errors="replace").strip().splitlines()[-1:]
            except OSError:
                last = []
            raise Refused(
                "runner_not_started", "the runner did not start: " + (" ".join(last) or "no message")
            )
        time.sleep(0.02)


def launch(data: bytes, box: Path, options: list[str]) -> dict[str, Any]:
    """Starts or joins the job. Returns what stage0 prints; see docs/adr/0002-job-mechanism.md."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--state", type=Path, default=Paths.state)
    parser.add_argument("--opt", type=Path, default=Paths.opt)
    parser.add_argument("--group", default=paths_module.GROUP)
    parser.add_argument("--mode", choices=["auto", "systemd", "setsid"], default="auto")
    parser.add_argument("--no-cgroup", action="store_true")
    args = parser.parse_args(options)
    try:
        return _launch(data, box, Paths(args.state, args.opt), args)
    except Refused as e:
        return {"ok": False, "code": e.code, "detail": e.detail}


def _launch(data: bytes, box: Path, paths: Paths, args: argparse.Namespace) -> dict[str, Any]:
    spec = parse_spec(data)
    gid = group_id(args.group)
    make_dir(paths.state, gid, 0o750)
    make_dir(paths.jobs, gid, 0o750)
    guard = os.open(paths.launch_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(guard, fcntl.LOCK_EX)  # two launches at once take turns; each is short
    folder = paths.attempt(spec["job"], spec["attempt"])
    unit = f"vault-job-{spec['job']}-{spec['attempt']}"
    answer = {"ok": True, "joined": True, "dir": str(folder), "unit": unit}
    wanted = hashlib.sha256(data).hexdigest()
    for known in sorted((paths.jobs / spec["job"]).glob("*/spec.json")):
        raw = known.read_bytes()
        if known.parent == folder:
            if hashlib.sha256(raw).hexdigest() != wanted:
                raise Refused("job_conflict", f"job {spec['job']} is on the box with another specification")
            if has_started(folder) or locked(folder / "alive"):
                return answer
        elif json.loads(raw).get("kind") != spec["kind"]:
            raise Refused("job_conflict", f"job {spec['job']} is on the box as another kind of job")
    wait_until_free(paths)
    make_dir(folder.parent, gid, 0o750)
    # The set-group-id bit gives every file the runner makes to the group that may read it.
    make_dir(folder, gid, 0o2750)
    make_dir(folder / "control", gid, 0o2770)
    write_spec(folder, data, gid)
    lock = os.open(paths.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    os.fchown(lock, 0, gid)
    os.fchmod(lock, 0o640)
    os.close(lock)
    argv = [sys.executable or "/usr/bin/python3", "-I", "-B", str(box / "vcbox" / "__main__.py"), "run"]
    argv += ["--dir", str(folder), "--box", str(box), "--state", str(paths.state), "--opt", str(paths.opt)]
    systemd = args.mode == "systemd" or (args.mode == "auto" and Path("/run/systemd/system").is_dir())
    child = None
    if systemd:
        start_systemd(argv, unit, spec["title"])
        answer["unit"] = f"{unit}.service"
    else:
        child = start_setsid(argv, unit, not args.no_cgroup)
    await_start(folder, unit, child)
    return {**answer, "joined": False}
