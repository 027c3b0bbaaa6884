"""A box in a temporary folder: the real stage0, launch, runner, supervisor and follower, as root, without systemd."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import uuid
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
SOURCE = REPO / "resources" / "box"
FIXTURES = REPO / "tests" / "fixtures"
sys.path.insert(0, str(SOURCE))
sys.dont_write_bytecode = True

STAGE0 = (SOURCE / "vcbox" / "stage0.py").read_text()
FOLLOW = (SOURCE / "vcbox" / "follow.py").read_text()
LAPTOP = {"name": "laptop-1", "user": "engineer"}


def box_tar(extra: dict[str, str]) -> bytes:
    """The archive that the app makes: vcbox/, vcflash/, and `extra` files under their paths, in place of its own where they have the same."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path in sorted(SOURCE.rglob("*.py")):
            name = str(path.relative_to(SOURCE))
            if name not in extra:
                tar.add(path, arcname=name)
        for name, text in extra.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def wait_until(what: str, condition: Any, seconds: float = 15.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds} s")


class Box:
    def __init__(self, base: Path, options: list[str]) -> None:
        self.base = base
        self.state = base / "state"
        self.opt = base / "opt"
        self.options = [
            "--state",
            str(self.state),
            "--opt",
            str(self.opt),
            "--group",
            "root",
            "--mode",
            "setsid",
            *options,
        ]
        self.tar = base / "box.tar"
        self.tar.write_bytes(box_tar({"ansible/site.yml": "- hosts: all\n"}))
        self.dirs: list[Path] = []

    def spec(self, kind: str, params: dict[str, Any], **more: Any) -> dict[str, Any]:
        spec = {"v": 1, "job": str(uuid.uuid4()), "attempt": 1, "kind": kind, "title": f"Test of {kind}"}
        return {**spec, "laptop": LAPTOP, "params": params, **more}

    def launch(self, spec: dict[str, Any], spec_sha256: str | None = None) -> dict[str, Any]:
        data = json.dumps(spec).encode()
        path = self.base / f"{uuid.uuid4()}.json"
        path.write_bytes(data)
        sha = spec_sha256 or hashlib.sha256(data).hexdigest()
        tar_sha = hashlib.sha256(self.tar.read_bytes()).hexdigest()
        argv = [sys.executable, "-I", "-c", STAGE0, str(self.tar), tar_sha, str(path), sha, *self.options]
        done = subprocess.run(argv, input=b"not the password\n", capture_output=True, timeout=60, check=False)
        lines = done.stdout.splitlines()
        assert len(lines) == 1, done.stderr.decode()
        answer = json.loads(lines[0])
        assert done.returncode == (0 if answer["ok"] else 1)
        if answer["ok"]:
            self.dirs.append(Path(answer["dir"]))
        return answer

    def start(self, kind: str, params: dict[str, Any], **more: Any) -> Path:
        answer = self.launch(self.spec(kind, params, **more))
        assert answer["ok"], answer
        return Path(answer["dir"])

    def follow(self, folder: Path, offset: int = 0, length: int = 0, sha: str = "-") -> "Follower":
        return Follower(folder, offset, length, sha)

    def run(
        self, kind: str, params: dict[str, Any], seconds: float = 30.0, **more: Any
    ) -> list[dict[str, Any]]:
        folder = self.start(kind, params, **more)
        return self.wait(folder, seconds)

    def wait(self, folder: Path, seconds: float = 30.0) -> list[dict[str, Any]]:
        wait_until("the job's end", lambda: (folder / "result.json").exists(), seconds)
        return events(folder)

    def stop_all(self) -> None:
        """Ends what a failed test left running, by pid."""
        for folder in self.dirs:
            for pid in processes_of(folder):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue


class Follower:
    """A follower as the app starts it. `read_all` waits for its end."""

    def __init__(self, folder: Path, offset: int, length: int, sha: str) -> None:
        argv = [sys.executable, "-I", "-c", FOLLOW, str(folder), str(offset), str(length), sha]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def header(self) -> dict[str, Any]:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())

    def read_all(self, seconds: float = 20.0) -> tuple[int, bytes]:
        assert self.process.stdout and self.process.stdin
        data = self.process.stdout.read()
        status = self.process.wait(seconds)
        self.process.stdin.close()
        return status, data

    def leave(self) -> int:
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(5)


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_bytes().split(b"\n") if line]


def processes_of(folder: Path) -> list[int]:
    """Live processes that belong to the attempt: by its tag in their environment or its folder in their arguments."""
    tag = f"VCBOX_JOB={folder.parent.name}.{folder.name}".encode()
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            environ = Path(f"/proc/{name}/environ").read_bytes().split(b"\0")
            words = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
            state = Path(f"/proc/{name}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        ours = str(folder).encode() in words and (b"run" in words or b"supervise" in words)
        if state != "Z" and (tag in environ or ours):
            found.append(int(name))
    return found
