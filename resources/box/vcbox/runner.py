"""Runs one attempt of one job: locks, log, supervisor, the kind's work, `finished`, result.json. Started by launch."""

import argparse
import ctypes
import fcntl
import hashlib
import importlib
import json
import os
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from vcbox import VERSION, kinds, power, procs
from vcbox.context import Cancelled, Context, JobFailed
from vcbox.eventlog import EventLog, LogFull, read_evidence
from vcbox.paths import Paths

BEAT_SECONDS = 2.0
REPEAT_WAITING_SECONDS = 5.0
# Work that is done in Python itself cannot be killed from outside; it has this long to notice a cancel.
NOTICE_CANCEL_SECONDS = 60.0
# The supervisor needs two minutes at most, a dpkg that it lets end included.
GONE_SECONDS = 180.0
PR_SET_CHILD_SUBREAPER = 36
EXIT_BUSY, EXIT_RAN_BEFORE = 75, 76


def lock_file(path: Path, blocking: bool) -> int:
    """Takes the file's lock for the life of this process; BlockingIOError when another holds it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    fcntl.flock(fd, fcntl.LOCK_EX | (0 if blocking else fcntl.LOCK_NB))
    return fd


def take_box_lock(path: Path) -> int | None:
    """The box's lock, or None. A reader that only looks whether it is free holds it for a moment, so a few tries are made."""
    deadline = time.monotonic() + 1.0
    while True:
        try:
            return lock_file(path, blocking=False)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return None
            time.sleep(0.02)


def write_renamed(path: Path, data: dict[str, Any]) -> None:
    work = path.with_name(f".{path.name}.new")
    with open(work, "w", encoding="utf-8") as f:
        json.dump(data, f, ensure_ascii=False)
        f.flush()
        os.fsync(f.fileno())
    work.rename(path)


class Runner:
    def __init__(self, folder: Path, box: Path, paths: Paths) -> None:
        raw = (folder / "spec.json").read_bytes()
        self.spec = json.loads(raw)
        self.spec_sha256 = hashlib.sha256(raw).hexdigest()
        self.folder = folder
        self.started = time.monotonic()
        self.ended = threading.Event()
        self.finish_lock = threading.Lock()
        # What the supervisor could not end.
        self.left: str | None = None
        job, attempt = self.spec["job"], self.spec["attempt"]
        log = EventLog(folder, job, attempt, self.spec_sha256, read_evidence())
        cgroup = procs.own_cgroup()
        self.ctx = Context(self.spec, folder, box, paths, log, f"{job}.{attempt}", cgroup)
        os.environ[procs.TAG] = self.ctx.tag
        self.supervisor = self.start_supervisor()

    def start_supervisor(self) -> "subprocess.Popen[bytes]":
        ctx = self.ctx
        argv = [
            sys.executable,
            "-I",
            "-B",
            str(ctx.box / "vcbox" / "__main__.py"),
            "supervise",
            "--dir",
            str(self.folder),
        ]
        argv += ["--runner", str(os.getpid()), "--cgroup", str(ctx.cgroup or ""), "--tag", ctx.tag]
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        assert child.stdout
        if json.loads(child.stdout.readline() or "{}").get("s") != "ready":
            raise RuntimeError("the supervisor did not start")
        threading.Thread(target=self.listen, args=(child,), name="supervisor", daemon=True).start()
        return child

    def listen(self, child: "subprocess.Popen[bytes]") -> None:
        """Puts what the supervisor says into the log: this process is the log's one writer."""
        assert child.stdout
        for line in child.stdout:
            message = json.loads(line)
            if message["s"] == "cancelling":
                self.ctx.cancel_event.set()
            elif message["s"] == "gone":
                self.left = message["left"]
                self.ctx.gone_event.set()
            else:
                try:
                    self.ctx.log.note(message["text"], self.ctx.step_id)
                except LogFull:
                    pass  # the main thread meets the same full disk and ends the job

    def sweep(self) -> None:
        """Asks the supervisor to end what is running, and waits until it is."""
        assert self.supervisor.stdin
        self.ctx.gone_event.clear()
        try:
            self.supervisor.stdin.write(b"sweep\n")
            self.supervisor.stdin.flush()
        except OSError:
            return
        self.ctx.gone_event.wait(GONE_SECONDS)

    def monitor(self) -> None:
        """Beats in silence, repeats what is waited for, and ends a cancelled job whose own thread does not."""
        log, ctx = self.ctx.log, self.ctx
        waited = time.monotonic()
        while not self.ended.wait(0.2):
            now = time.monotonic()
            try:
                if ctx.waiting_for and now - waited >= REPEAT_WAITING_SECONDS:
                    waited = now
                    what, detail = ctx.waiting_for
                    log.emit("waiting", **{"for": what}, detail=detail, state="begin")
                elif now - log.last_event >= BEAT_SECONDS:
                    log.emit("beat", step=ctx.step_id, quietSeconds=round(now - log.last_heard, 3))
            except LogFull:
                self.sweep()
                return
            if not ctx.waiting_for:
                waited = now
            swept = ctx.cancel_event.is_set() and ctx.gone_event.wait(0.01)
            if swept and not self.ended.wait(NOTICE_CANCEL_SECONDS):
                self.finish("cancelled", None, "the job was cancelled while it was busy", None)
                os._exit(0)

    def work(self) -> tuple[str, str | None, str | None, dict[str, int] | None]:
        """Does the job; returns outcome, code, detail, counts."""
        name = kinds.module_of(self.spec["kind"])
        try:
            if name is None:
                raise JobFailed("unknown_kind", f"this runner knows no job kind {self.spec['kind']!r}")
            counts = importlib.import_module(f"vcbox.kinds.{name}").run(self.ctx)
            self.ctx.check_cancelled()
            return "passed", None, None, counts
        except Cancelled:
            return "cancelled", None, None, None
        except LogFull:
            return (
                "failed",
                "box_disk_full",
                "Not even the events of the job could be written.",
                None,
            )
        except JobFailed as e:
            if self.ctx.cancelled():
                return "cancelled", None, e.detail, e.counts
            return "failed", e.code, e.detail, e.counts
        except Exception as e:  # the last line of defence: an error of ours must end the job with a name
            traceback.print_exc()
            if self.ctx.cancelled():
                return "cancelled", None, str(e), None
            code = "box_disk_full" if isinstance(e, OSError) and e.errno in (28, 122) else "runner_error"
            return "failed", code, f"{type(e).__name__}: {e}"[:2000], None

    def finish(
        self, outcome: str, code: str | None, detail: str | None, counts: dict[str, int] | None
    ) -> None:
        with self.finish_lock:
            if self.ended.is_set():
                return
            self.ended.set()
            log = self.ctx.log
            seconds = round(time.monotonic() - self.started, 3)
            end = {"outcome": outcome, "code": code, "detail": detail, "counts": counts, "seconds": seconds}
            try:
                log.emit("finished", **end)
            except LogFull:
                log.free_reserve()
                log.emit("finished", **end)
            log.close()
            try:
                write_renamed(self.folder / "result.json", {"v": 1, **end, "events": log.seq})
            except OSError:
                traceback.print_exc()

    def run(self) -> int:
        spec, ctx = self.spec, self.ctx
        ctx.log.emit(
            "started",
            jobKind=spec["kind"],
            title=spec["title"],
            specSha256=self.spec_sha256,
            runner=VERSION,
            pid=os.getpid(),
            laptop=spec["laptop"],
        )
        threading.Thread(target=self.monitor, name="monitor", daemon=True).start()
        # Of a job that was killed with its supervisor.
        if said := power.restore(ctx.paths.state):
            ctx.log.note(said, None)
        end = self.work()
        if end[0] == "cancelled":
            gone = ctx.gone_event.wait(GONE_SECONDS)
            if self.left or not gone:
                # Never said to be over without a word about what is not.
                end = ("cancelled", None, self.left or "what the job had running may still run", end[3])
        elif end[0] == "failed":
            self.sweep()
        self.finish(*end)
        return 0


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--box", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--opt", type=Path, required=True)
    args = parser.parse_args(argv)
    paths = Paths(args.state, args.opt)
    os.umask(0o027)
    out = os.open(args.dir / "runner.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    os.dup2(out, 1)
    os.dup2(out, 2)
    # Orphans of the job come to this process instead of to PID 1, where no cgroup keeps them together.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    alive = lock_file(args.dir / "alive", blocking=True)
    lock = take_box_lock(paths.lock)
    if lock is None:
        print("another job holds the box", file=sys.stderr)
        return EXIT_BUSY
    try:
        runner = Runner(args.dir, args.box, paths)
    except FileExistsError as e:
        print(e, file=sys.stderr)
        return EXIT_RAN_BEFORE
    spec = runner.spec
    holder = {"job": spec["job"], "attempt": spec["attempt"], "title": spec["title"]}
    holder |= {"user": spec["laptop"]["user"], "laptop": spec["laptop"]["name"]}
    os.ftruncate(lock, 0)
    os.pwrite(lock, json.dumps(holder).encode(), 0)
    try:
        return runner.run()
    finally:
        os.ftruncate(lock, 0)
        os.close(lock)
        os.close(alive)
