"""Who holds a POSIX lock as dpkg takes it, seen from another process; and the configuration for the bundle."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from vcbox import apt
from vcbox.context import Cancelled, JobFailed
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


# As dpkg says it of a package that a power cut left without its lists of files.
LOST = """\
The following packages are missing the list control file in the
database, they need to be reinstalled:
 toolkit-base         a package

The following packages are missing the md5sums control file in the
database, they need to be reinstalled:
 toolkit-base         a package
"""


class Packages:
    """A stand-in for dpkg and apt: `mends` is the command behind which all is whole."""

    def __init__(self, patch: pytest.MonkeyPatch, mends: str | None) -> None:
        self.mends, self.found, self.ran = mends, LOST, list[str]()
        patch.setattr(apt, "audit", lambda: self.found)
        patch.setattr(apt.process, "run", self.run)

    def run(self, _: Any, argv: list[str], **__: Any) -> SimpleNamespace:
        line = " ".join(word for word in argv if word not in apt.KEEP_CONFIG)
        self.ran.append(line)
        if line == self.mends:
            self.found = ""
        return SimpleNamespace(status=0, tail="")


CONTEXT: Any = SimpleNamespace(log=SimpleNamespace(note=lambda *_: None), step_id=None)
CONFIGURE, UPDATE, FIX = "dpkg --configure -a", "apt-get update -q", "apt-get install -f -y -q"
AGAIN = "apt-get install --reinstall -y -q toolkit-base"


@pytest.mark.parametrize(
    ("mends", "ran"),
    [
        (CONFIGURE, [CONFIGURE]),
        (FIX, [CONFIGURE, UPDATE, FIX]),
        (AGAIN, [CONFIGURE, UPDATE, FIX, AGAIN]),
    ],
)
def test_packages_are_repaired_by_the_least_that_does(
    mends: str, ran: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = Paths(state=tmp_path)
    apt.write_config(paths)
    packages = Packages(monkeypatch, mends)
    assert apt.repair(CONTEXT, paths) is True
    assert packages.ran == ran
    assert apt.repair(CONTEXT, paths) is False


def test_what_stays_broken_is_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = Packages(monkeypatch, None)
    with pytest.raises(JobFailed, match="^toolkit-base stays half configured"):
        apt.repair(CONTEXT, Paths(state=tmp_path))
    # Without a bundle there is nothing to install it from.
    assert packages.ran == [CONFIGURE]


PENDING = """\
The following packages have been triggered, but the trigger processing
has not yet been done.  Trigger processing can be requested using
dselect or dpkg --configure --pending (or dpkg --triggers-only):
 libc-bin             GNU C Library: Binaries
"""
UNPACKED = """\
The following packages have been unpacked but not yet configured.
They must be configured using dpkg --configure or the configure
menu option in dselect for them to work:
 passwd               change and administer password and group data
"""


@pytest.mark.parametrize("found", [PENDING, UNPACKED])
def test_what_apt_put_off_is_done_after_a_cancel(found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = Packages(monkeypatch, CONFIGURE)
    packages.found = found
    apt.settle(CONTEXT)
    assert (packages.ran, packages.found) == ([CONFIGURE], "")
    apt.settle(CONTEXT)
    assert packages.ran == [CONFIGURE]


@pytest.mark.parametrize("work", [apt.repair, lambda ctx, paths: apt.install(ctx, paths, ["python3-apt"])])
def test_a_cancel_of_apt_itself_leaves_no_triggers(
    work: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = Packages(monkeypatch, CONFIGURE)
    monkeypatch.setattr(apt, "wait_for_lock", lambda _: None)
    plain = packages.run

    def cancelled(ctx: Any, argv: list[str], **more: Any) -> SimpleNamespace:
        if packages.found == PENDING:
            return plain(ctx, argv, **more)
        packages.found = PENDING
        raise Cancelled

    monkeypatch.setattr(apt.process, "run", cancelled)
    with pytest.raises(Cancelled):
        work(CONTEXT, Paths(state=tmp_path))
    assert (packages.ran, packages.found) == ([CONFIGURE], "")


def test_after_a_cancel_nothing_else_is_tried_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    packages = Packages(monkeypatch, None)
    apt.settle(CONTEXT)
    assert packages.ran == []
    packages.found = PENDING
    notes: list[str] = []
    ctx: Any = SimpleNamespace(log=SimpleNamespace(note=lambda text, _: notes.append(text)), step_id="apt")

    def late(*_: Any, **__: Any) -> None:
        raise JobFailed("too_slow", "it took 60 s")

    monkeypatch.setattr(apt.process, "run", late)
    apt.settle(ctx)
    assert notes[-1] == "they wait on: it took 60 s"
