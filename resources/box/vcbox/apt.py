"""apt and dpkg on the box: who holds their locks, a repair of half-configured packages, and the bundle as the only source."""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vcbox import process
from vcbox.context import Cancelled, Context, JobFailed
from vcbox.paths import Paths

LOCKS = (
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
)
# short l_type, short l_whence, off_t l_start, off_t l_len, pid_t l_pid
FLOCK = "hhqqi"
POLL_SECONDS = 0.5
NONINTERACTIVE = {
    "DEBIAN_FRONTEND": "noninteractive",
    "NEEDRESTART_MODE": "l",
    "APT_LISTCHANGES_FRONTEND": "none",
}
KEEP_CONFIG = ["--force-confdef", "--force-confold"]
CONFIGURE = ["dpkg", *KEEP_CONFIG, "--configure", "-a"]
# Silent and idle for this long happens while a big package's scripts wait for a service; longer has not been seen.
APT_WATCHDOG = (900.0, "package scripts may wait for services, but not for a quarter of an hour")

# After a cancel: what apt put off to its end, ldconfig and the like, and what it had unpacked already.
SETTLE_SECONDS = 60.0
# What `dpkg --audit` says of packages for which `dpkg --configure` is all that is lacking.
UNSETTLED = ("trigger", "configur")

APT_CONF = """\
// The site bundle as apt's only source. The box's own sources, lists and caches are not touched.
Dir::Etc::sourcelist "{apt}/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "{apt}/lists/";
Dir::Cache "{apt}/cache/";
Acquire::Languages "none";
APT::Update::Post-Invoke-Success "";
APT::Periodic::Enable "0";
// apt's own user cannot reach the bundle, which is for root and its group.
APT::Sandbox::User "root";
DPkg::Lock::Timeout "600";
DPkg::Options {{ "--force-confdef"; "--force-confold"; }};
"""


def foreseeable(paths: Paths) -> bool:
    """Whether the packages that roles ask apt for are where the installation left them: check mode can tell nothing without."""
    return (paths.tree / "apt" / "InRelease").is_file()


def lock_pid(path: str) -> int | None:
    """Pid of the process that holds the file's POSIX write lock, 0 when it is of another namespace; None when free."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        raw = fcntl.fcntl(fd, fcntl.F_GETLK, struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    finally:
        os.close(fd)
    kind, _, _, _, pid = struct.unpack(FLOCK, raw)
    return None if kind == fcntl.F_UNLCK else max(pid, 0)


def describe(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        words = []
    line = " ".join(w for w in words if w)[:120]
    return f"{line} (process {pid})" if line else f"process {pid}"


def lock_holder(locks: tuple[str, ...] = LOCKS) -> str | None:
    """Who holds one of apt's and dpkg's locks, as text; None when all are free."""
    for path in locks:
        pid = lock_pid(path)
        if pid is not None:
            return f"held by {describe(pid) if pid else 'a process outside this container'}"
    return None


def wait_for_lock(ctx: Context, locks: tuple[str, ...] = LOCKS) -> None:
    """Returns when apt's locks are free; beats `waiting: apt lock` with the holder meanwhile. Never a failure by itself."""
    holder = lock_holder(locks)
    if holder is None:
        return
    with ctx.waiting("apt lock", holder):
        while (holder := lock_holder(locks)) is not None:
            ctx.waiting_for = ("apt lock", holder)
            ctx.sleep(POLL_SECONDS)


def audit() -> str:
    """What `dpkg --audit` finds, empty when all packages are whole."""
    status, out, err = process.capture(["dpkg", "--audit"])
    return out.strip() or (err.strip() if status else "")


def names_in(found: str) -> list[str]:
    """Names of the packages that `dpkg --audit` lists, each on a line behind a blank and once for all that it lacks."""
    names = [line.split()[0] for line in found.splitlines() if line.startswith(" ") and line.strip()]
    return list(dict.fromkeys(names))


def error_in(tail: str) -> str:
    """dpkg's last error with the line behind it that names the reason; empty where it told none."""
    lines = tail.splitlines()
    at = max((n for n, line in enumerate(lines) if line.startswith("dpkg: error")), default=len(lines))
    return " ".join(line.strip() for line in lines[at : at + 2])[:800]


def settle(ctx: Context) -> None:
    """What apt put off to its end is done when it was cancelled before, and what it had unpacked is configured, so that a cancelled job
    leaves packages whole. Never a failure: the next job repairs what is left."""
    found = audit()
    if not any(word in found for word in UNSETTLED):
        return
    ctx.log.note(f"dpkg --configure -a, for what apt began: {', '.join(names_in(found))}", ctx.step_id)
    try:
        process.run(ctx, CONFIGURE, env=NONINTERACTIVE, uncancellable=True, deadline=SETTLE_SECONDS)
    except JobFailed as e:
        ctx.log.note(f"they wait on: {e}", ctx.step_id)


@contextmanager
def settling(ctx: Context) -> Iterator[None]:
    """Around whatever installs packages: a cancel goes on as one, behind `settle`."""
    try:
        yield
    except Cancelled:
        settle(ctx)
        raise


def repair(ctx: Context, paths: Paths) -> bool:
    """
    Configures half-configured packages, and puts back what dpkg has lost of others; True when there was something to do. JobFailed
    `dpkg_broken` if it remains.
    """
    if not audit():
        return False
    ctx.log.note("packages are half configured: dpkg --configure -a", ctx.step_id)
    with settling(ctx):
        env = {**NONINTERACTIVE, "APT_CONFIG": str(paths.apt / "apt.conf")}
        done = process.run(ctx, CONFIGURE, env=NONINTERACTIVE, watchdog=APT_WATCHDOG)
        left = audit()
        if left and (paths.apt / "apt.conf").exists():
            # What apt has read of the bundle may be from before it, or lost as well.
            process.run(ctx, ["apt-get", "update", "-q"], env=env, watchdog=APT_WATCHDOG)
            process.run(ctx, ["apt-get", "install", "-f", "-y", "-q"], env=env, watchdog=APT_WATCHDOG)
            left = audit()
            # A power cut can leave a package that dpkg calls installed without its lists of files: those come with the package alone.
            names = names_in(left)
            if names:
                ctx.log.note(f"packages are to be installed again: {left[:800]}", ctx.step_id)
                again = ["apt-get", "install", "--reinstall", "-y", "-q", *names]
                process.run(ctx, again, env=env, watchdog=APT_WATCHDOG)
                left = audit()
    if left:
        said = error_in(done.tail)
        raise JobFailed(
            "dpkg_broken",
            f"{', '.join(names_in(left)) or left[:800]} stays half configured{f'; {said}' if said else ''}.",
        )
    return True


def write_config(paths: Paths) -> Path:
    """Writes the apt configuration for the bundle; returns its path, the value for APT_CONFIG."""
    for name in ("lists/partial", "cache/archives/partial"):
        (paths.apt / name).mkdir(parents=True, exist_ok=True)
    tree = paths.tree / "apt"
    conf = paths.apt / "apt.conf"
    conf.write_text(APT_CONF.format(apt=paths.apt))
    (paths.apt / "sources.list").write_text(f"deb [signed-by={tree}/key.gpg] file:{tree} ./\n")
    return conf


def installed(package: str) -> bool:
    status, out, _ = process.capture(["dpkg-query", "-W", "-f", "${db:Status-Status}", package])
    return status == 0 and out.strip() == "installed"


def install(ctx: Context, paths: Paths, packages: list[str]) -> None:
    """Installs packages from the bundle; JobFailed `apt_failed` with apt's last lines."""
    env = {**NONINTERACTIVE, "APT_CONFIG": str(write_config(paths))}
    for argv in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", *packages]):
        wait_for_lock(ctx)
        with settling(ctx):
            done = process.run(ctx, ["apt-get", *argv], env=env, watchdog=APT_WATCHDOG)
        if done.status:
            raise JobFailed("apt_failed", f"apt-get {argv[0]} ended with {done.status}: {done.tail[-800:]}")
