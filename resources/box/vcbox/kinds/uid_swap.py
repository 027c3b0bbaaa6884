"""Gives the administrator UID and GID 1000 and its holder free ones, and the files of both their owners.

Two phases, one after the other, so that at any moment a number means one user: first the holder leaves 1000 (account, then
files), then the administrator takes it. A journal says how far it came; a second attempt goes on from there.
"""

import grp
import json
import os
import pwd
from contextlib import suppress
from pathlib import Path
from typing import Any

from vcbox import process
from vcbox.context import Context, JobFailed
from vcbox.runner import write_renamed

WANTED = 1000
# File systems that keep owners and are this box's own. Network file systems are left alone.
LOCAL = {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "jfs", "bcachefs", "overlay", "tmpfs"}
POLL_SECONDS = 0.2
NOLOGIN = Path("/run/nologin")


def used_by(uids: set[int]) -> list[str]:
    """The processes of these users, as text."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            status = Path(f"/proc/{name}/status").read_text(errors="replace")
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        if fields.get("State", "").strip().startswith("Z"):
            continue
        ids = {int(word) for word in fields.get("Uid", "").split()}
        if ids & uids:
            found.append(f"{fields.get('Name', '?').strip()} ({name})")
    return found


def free_id() -> int:
    taken = {p.pw_uid for p in pwd.getpwall()} | {g.gr_gid for g in grp.getgrall()}
    return next(n for n in range(WANTED + 1, 60000) if n not in taken)


def make_plan(holder: str, user: str) -> dict[str, Any]:
    """Who has which number and gets which; JobFailed where it cannot be done."""
    try:
        old, new = pwd.getpwnam(holder), pwd.getpwnam(user)
    except KeyError as e:
        raise JobFailed("uid_swap_impossible", f"There is no such user on the box: {e}") from e
    if old.pw_uid != WANTED:
        raise JobFailed("uid_swap_impossible", f"{holder} has UID {old.pw_uid}, not {WANTED}.")
    if 0 in (new.pw_uid, new.pw_gid):
        raise JobFailed(
            "uid_swap_impossible",
            f"{user} has UID {new.pw_uid} and GID {new.pw_gid}; root's are not swapped.",
        )
    free = free_id()
    plan = {"holder": holder, "user": user, "free": free, "userUid": new.pw_uid, "phase": "holder"}
    plan |= {"holderGroup": None, "userGroup": None, "userGid": new.pw_gid}
    with suppress(KeyError):
        group = grp.getgrgid(WANTED)
        if group.gr_gid != old.pw_gid:
            raise JobFailed(
                "uid_swap_impossible", f"GID {WANTED} belongs to the group {group.gr_name}, not to {holder}."
            )
        plan["holderGroup"] = group.gr_name
    own = grp.getgrgid(new.pw_gid)
    if own.gr_name == user:
        plan["userGroup"] = own.gr_name
    return plan


def local_roots() -> list[str]:
    """Mount points of local, writable file systems, each file system once."""
    seen, roots = set(), []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        cells, kind = left.split(), right.split()[0]
        point = cells[4].encode().decode("unicode_escape")
        if (
            kind not in LOCAL
            or "ro" in cells[5].split(",")
            or point.startswith(("/proc", "/sys", "/dev/pts"))
        ):
            continue
        key = (cells[2], cells[3])
        if key not in seen:
            seen.add(key)
            roots.append(point)
    return roots


def reown_tree(ctx: Context, top: str, uid: tuple[int, int], gid: tuple[int, int] | None) -> int:
    """Gives what belongs to uid[0] to uid[1] (groups likewise) below `top`, on its file system, never through a link."""
    changed = 0
    device = os.lstat(top).st_dev
    for _, folders, files, fd in os.fwalk(top, topdown=True, follow_symlinks=False, onerror=None):
        ctx.check_cancelled()
        here = os.fstat(fd)
        if here.st_dev != device:
            folders.clear()
            continue
        changed += reown(".", fd, uid, gid)
        for name in files + [f for f in folders if _is_link(f, fd)]:
            with suppress(FileNotFoundError):
                changed += reown(name, fd, uid, gid)
    return changed


def _is_link(name: str, fd: int) -> bool:
    try:
        return (os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode & 0o170000) == 0o120000
    except FileNotFoundError:
        return False


def reown(name: str, fd: int, uid: tuple[int, int], gid: tuple[int, int] | None) -> int:
    """One entry of an open folder; True if it was changed. The set-id bits that chown takes away are put back."""
    was = os.stat(name, dir_fd=fd, follow_symlinks=False)
    owner = uid[1] if was.st_uid == uid[0] else -1
    group = gid[1] if gid and was.st_gid == gid[0] else -1
    if owner == -1 and group == -1:
        return 0
    os.chown(name, owner, group, dir_fd=fd, follow_symlinks=False)
    if was.st_mode & 0o6000 and (was.st_mode & 0o170000) == 0o100000:
        os.chmod(name, was.st_mode & 0o7777, dir_fd=fd)
    return 1


def command(ctx: Context, *argv: str) -> None:
    done = process.run(ctx, argv)
    if done.status:
        raise JobFailed("uid_swap_failed", f"{argv[0]} ended with {done.status}: {done.tail[-300:]}")


def move(ctx: Context, user: str, group: str | None, new: int, old: tuple[int, int]) -> int:
    """Account first, then files; each part finds what an earlier attempt has done already."""
    gid = None
    if group:
        gid = (old[1], new)
        if grp.getgrnam(group).gr_gid != new:
            command(ctx, "groupmod", "-g", str(new), group)
    if pwd.getpwnam(user).pw_uid != new:
        command(ctx, "usermod", "-u", str(new), *(["-g", str(new)] if group else []), user)
    changed = 0
    for number, top in enumerate(roots := local_roots(), 1):
        changed += reown_tree(ctx, top, (old[0], new), gid)
        ctx.progress(f"files of {user}", number, len(roots), "files")
    ctx.log.note(f"{user} has UID {new}; {changed} files re-owned", ctx.step_id)
    return changed


def wait_for_logout(ctx: Context, plan: dict[str, Any]) -> None:
    """Returns when no process of either user is left, with new logins refused."""
    uids = {WANTED, plan["userUid"], plan["free"]}
    used = used_by(uids)
    if used:
        with ctx.waiting(
            "logout", f"sessions of {plan['holder']} and {plan['user']}: {', '.join(used[:10])}"
        ):
            while used := used_by(uids):
                ctx.waiting_for = (
                    "logout",
                    f"sessions of {plan['holder']} and {plan['user']}: {', '.join(used[:10])}",
                )
                ctx.sleep(POLL_SECONDS)
    # PAM refuses everybody but root while this file is there; a reboot takes it away by itself.
    NOLOGIN.write_text("Vault Cube: user numbers are being changed. Try again in a minute.\n")


def run(ctx: Context) -> dict[str, int]:
    """params: `{holder, user}`: who has UID 1000 and who is to get it."""
    holder, user = ctx.params.get("holder"), ctx.params.get("user")
    if not isinstance(holder, str) or not isinstance(user, str) or holder == user:
        raise JobFailed("spec_invalid", "uid_swap wants holder and user, two different names")
    journal = ctx.paths.state / "uid-swap.json"
    plan: dict[str, Any] | None = None
    with suppress(OSError, ValueError):
        plan = json.loads(journal.read_text())
    if plan and (plan["holder"], plan["user"]) != (holder, user):
        raise JobFailed(
            "uid_swap_impossible",
            f"A swap of {plan['holder']} and {plan['user']} is unfinished; resume that one.",
        )
    with suppress(KeyError):
        if plan is None and pwd.getpwnam(user).pw_uid == WANTED:
            return {"ok": 1, "changed": 0, "failed": 0, "skipped": 0}
    plan = plan or make_plan(holder, user)
    changed = 0
    try:
        with ctx.step("logout", "Wait until nobody is logged in"):
            while True:
                wait_for_logout(ctx, plan)
                if not used_by({WANTED, plan["userUid"], plan["free"]}):
                    break
                NOLOGIN.unlink(missing_ok=True)
        write_renamed(journal, plan)
        with ctx.step("holder", f"{holder} leaves UID {WANTED}"):
            if plan["phase"] == "holder":
                changed += move(ctx, holder, plan["holderGroup"], plan["free"], (WANTED, WANTED))
                plan["phase"] = "user"
                os.sync()
                write_renamed(journal, plan)
        with ctx.step("user", f"{user} takes UID {WANTED}"):
            changed += move(ctx, user, plan["userGroup"], WANTED, (plan["userUid"], plan["userGid"]))
        os.sync()
        journal.unlink()
    finally:
        NOLOGIN.unlink(missing_ok=True)
    return {"ok": 0, "changed": changed, "failed": 0, "skipped": 0}
