"""Which processes belong to a job, read from /proc and the job's cgroup."""

import os
from dataclasses import dataclass
from pathlib import Path

TAG = "VCBOX_JOB"


@dataclass(frozen=True)
class Stat:
    """The part of /proc/<pid>/stat that is used here; `cpu` is user and system time in clock ticks."""

    pid: int
    name: str
    state: str
    parent: int
    group: int
    cpu: int
    start: int


def parse_stat(text: str) -> Stat:
    """Reads a line of /proc/<pid>/stat. The name is in parentheses and may itself hold spaces and parentheses."""
    left, right = text.index("("), text.rindex(")")
    rest = text[right + 2 :].split()
    return Stat(
        pid=int(text[:left]),
        name=text[left + 1 : right],
        state=rest[0],
        parent=int(rest[1]),
        group=int(rest[2]),
        cpu=int(rest[11]) + int(rest[12]),
        start=int(rest[19]),
    )


def stat(pid: int) -> Stat | None:
    try:
        return parse_stat(Path(f"/proc/{pid}/stat").read_text(errors="replace"))
    except (OSError, ValueError):
        return None


def snapshot() -> dict[int, Stat]:
    """Every live process by pid; zombies are left out, as they run nothing."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            s = stat(int(name))
            if s and s.state not in "ZX":
                found[s.pid] = s
    return found


def descendants(root: int, table: dict[int, Stat]) -> set[int]:
    """Pids below `root`, without `root`."""
    children: dict[int, list[int]] = {}
    for s in table.values():
        children.setdefault(s.parent, []).append(s.pid)
    found: set[int] = set()
    todo = list(children.get(root, []))
    while todo:
        pid = todo.pop()
        if pid not in found:
            found.add(pid)
            todo.extend(children.get(pid, []))
    return found


def ancestors(pid: int, table: dict[int, Stat]) -> set[int]:
    found: set[int] = set()
    while (s := table.get(pid)) and s.parent not in found and s.parent > 1:
        found.add(s.parent)
        pid = s.parent
    return found


def in_cgroup(cgroup: Path) -> set[int]:
    """Pids in the cgroup and in those below it."""
    found: set[int] = set()
    for folder, _, files in os.walk(cgroup):
        if "cgroup.procs" in files:
            try:
                text = Path(folder, "cgroup.procs").read_text()
            except OSError:
                continue
            found.update(int(word) for word in text.split() if word != "0")
    return found


def tagged(tag: str, table: dict[int, Stat]) -> set[int]:
    """Pids whose environment was inherited from the job: finds those that lost their parents where there is no cgroup."""
    want = f"{TAG}={tag}".encode()
    found = set()
    for pid in table:
        try:
            environ = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        if want in environ.split(b"\0"):
            found.add(pid)
    return found


def members(runner: int, cgroup: Path | None, tag: str) -> dict[int, Stat]:
    """The job's live processes without the runner; the caller takes itself out."""
    table = snapshot()
    pids = in_cgroup(cgroup) if cgroup else descendants(runner, table) | tagged(tag, table)
    return {pid: table[pid] for pid in pids if pid in table and pid != runner}


def unified_mount() -> Path | None:
    """Where cgroup v2 is mounted, if it is."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        if right.startswith("cgroup2 "):
            return Path(left.split()[4])
    return None


def own_cgroup() -> Path | None:
    """The v2 cgroup of this process, when it is one made for a job and nothing else lives in it."""
    mount = unified_mount()
    if not mount:
        return None
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        if line.startswith("0::"):
            path = mount / line[3:].lstrip("/")
            if path.name.startswith("vault-job-") and (path / "cgroup.procs").exists():
                return path
    return None
