"""Who holds a POSIX lock as dpkg takes it, seen from another process; and the configuration for the bundle."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from vcbox import apt
from vcbox.paths import Paths

HOLD = "import fcntl,sys; f=open(sys.argv[1],'w'); fcntl.lockf(f,fcntl.LOCK_EX); print('held',flush=True); sys.stdin.read()"


def test_the_holder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lock-frontend"
    path.touch()
    assert apt.lock_holder((str(path),)) is None
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout and child.stdin
    assert child.stdout.readline() == b"held\n"
    holder = apt.lock_holder((str(path),))
    assert holder and f"process {child.pid}" in holder and "python" in holder
    child.stdin.close()
    child.wait(5)
    assert apt.lock_holder((str(path),)) is None


def test_a_lock_that_is_not_there_is_free(tmp_path: Path) -> None:
    assert apt.lock_holder((str(tmp_path / "none"),)) is None


def test_apt_reads_the_configuration(tmp_path: Path) -> None:
    paths = Paths(state=tmp_path)
    conf = apt.write_config(paths)
    done = subprocess.run(
        ["apt-config", "dump"],
        env={**os.environ, "APT_CONFIG": str(conf)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 127:
        pytest.skip("no apt here")
    assert f'Dir::State::lists "{tmp_path}/apt/lists/";' in done.stdout
    assert 'Dir::Etc::sourceparts "-";' in done.stdout
    assert done.stderr == ""


def test_the_lock_structure_is_that_of_this_machine(tmp_path: Path) -> None:
    path = tmp_path / "own"
    with open(path, "w") as f:
        fcntl.lockf(f, fcntl.LOCK_EX)
        # A process is never in its own way: the kernel answers "free" to the holder itself.
        assert apt.lock_pid(str(path)) is None
