"""One ansible-playbook run on the box itself, its callback's records turned into task events."""

import json
import os
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from vcbox import apt, process
from vcbox.context import Context, JobFailed

# Ansible's own tasks are quiet while apt works; processor time below it counts as life, so only a real hang trips this.
WATCHDOG = (900.0, "a task may wait for services or the network, but not for a quarter of an hour")
# The box's own, which has python3-apt.
INTERPRETER = "/usr/bin/python3"
NAME = re.compile(r"^[A-Za-z0-9_.-]+$")


class Records:
    """Takes the callback plugin's records and logs them; keeps the counts, the tasks that changed, and the last failure."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.changed: list[str] = []
        self.total: int | None = None
        self.counts: dict[str, int] | None = None
        self.failure: str | None = None

    def take(self, record: dict[str, Any]) -> None:
        event = record.get("ev")
        if event == "total":
            self.total = record.get("total")
        elif event == "task":
            self.task(record)
        elif event == "stats":
            numbers = {k: int(record.get(k) or 0) for k in ("ok", "changed", "failed", "skipped")}
            numbers["failed"] += int(record.get("unreachable") or 0)
            self.counts = numbers

    def task(self, record: dict[str, Any]) -> None:
        detail = record.get("detail")
        text = detail if isinstance(detail, str) or detail is None else json.dumps(detail, ensure_ascii=False)
        fields: dict[str, Any] = {
            "step": self.ctx.step_id,
            "index": record.get("index", 0),
            "total": self.total,
            "name": str(record.get("name", "")),
            "role": record.get("role"),
            "state": record.get("state"),
        }
        if record.get("seconds") is not None:
            fields["seconds"] = record["seconds"]
        if text:
            fields["detail"] = text[:4000]
        if record.get("state") == "changed":
            self.changed.append(fields["name"])
        if record.get("state") == "failed":
            self.failure = f"{fields['name']}: {text or 'no message'}"[:1500]
        self.ctx.log.emit("task", **fields)


def write_vars(ctx: Context, order: dict[str, Any]) -> Path:
    """The order's variables as a file of root's."""
    given = order.get("vars") or {}
    if not isinstance(given, dict):
        raise JobFailed("spec_invalid", "vars must be an object")
    path = ctx.folder / "vars.json"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as f:
        json.dump({**given, "ansible_python_interpreter": INTERPRETER}, f)
    return path


def forking(venv: Path, kept: Path | None = None) -> tuple[list[str], dict[str, str]]:
    """What stands before `ansible-playbook`, and variables, by which its modules are forks of one Python: see forkserver/. `kept`:
    where their archives stay for the next run of the same code; another one of Ansible or of ours must not find them."""
    found = sorted(venv.glob("lib/python3*/site-packages/ansible/module_utils"))
    if len(found) != 1:
        return [], {}
    folder = Path(__file__).parent / "forkserver"
    server = [INTERPRETER, "-I", str(folder / "forkserver.py"), str(found[0].parent.parent)]
    variables = {"ANSIBLE_CONNECTION_PLUGINS": str(folder / "connection")}
    return server, variables if kept is None else {**variables, "VAULT_CUBE_MODULES": str(kept)}


def run(
    ctx: Context,
    watchdog: tuple[float, str] = WATCHDOG,
    deadline: float | None = None,
    check: bool = False,
    order: dict[str, Any] | None = None,
    records: Records | None = None,
) -> dict[str, int]:
    """
    Runs `params.playbook` with `params.tags`, or another order's; returns Ansible's counts. JobFailed `ansible_failed` names the
    task. With `check` nothing is changed, and `changed` counts what would be. `records` keeps what the caller wants to see.
    """
    project, venv = ctx.box / "ansible", ctx.paths.ansible
    order = ctx.params if order is None else order
    playbook, tags = order.get("playbook"), order.get("tags")
    if not isinstance(playbook, str) or not NAME.match(playbook) or not (project / playbook).is_file():
        raise JobFailed("spec_invalid", f"the box archive has no playbook {playbook!r}")
    if not isinstance(tags, list) or not tags or not all(isinstance(t, str) and NAME.match(t) for t in tags):
        raise JobFailed("spec_invalid", "tags must be a list of names")
    command = venv / "bin" / "ansible-playbook"
    if not command.exists():
        raise JobFailed("ansible_missing", "Ansible is not on the box. Run layer 0 first.")
    conf = apt.write_config(ctx.paths)
    # Both are named after what is in them.
    server, variables = forking(venv, ctx.paths.run / "modules" / f"{venv.resolve().name}-{ctx.box.name}")
    env = {
        "ANSIBLE_CONFIG": str(project / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "vault_cube_events",
        "ANSIBLE_CALLBACK_PLUGINS": str(project / "callback_plugins"),
        "ANSIBLE_COLLECTIONS_PATH": str(venv / "collections"),
        "ANSIBLE_LOCAL_TEMP": "/root/.ansible/tmp",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        **variables,
        "LC_ALL": "C.UTF-8",
        "APT_CONFIG": str(conf),
        **apt.NONINTERACTIVE,
    }
    records = records or Records(ctx)
    argv = [
        *server,
        str(command),
        "-c",
        "local",
        "-i",
        "localhost,",
        "-e",
        f"@{write_vars(ctx, order)}",
        "--tags",
        ",".join(tags),
        *(["--check"] if check else []),
        playbook,
    ]
    with nullcontext() if check else apt.settling(ctx):
        done = process.run(
            ctx, argv, env=env, cwd=str(project), on_record=records.take, watchdog=watchdog, deadline=deadline
        )
    if done.status:
        why = records.failure or done.tail[-1200:] or f"ansible-playbook ended with {done.status}"
        raise JobFailed("ansible_failed", why, records.counts)
    if records.counts is None:
        raise JobFailed(
            "ansible_failed", f"ansible-playbook ended without its statistics: {done.tail[-800:]}"
        )
    if not check:
        # Ansible and pip leave their files to the kernel, which may keep them from the disk for half a minute: what has passed is
        # to be there after a power cut, too.
        os.sync()
    return records.counts


def prepare(ctx: Context) -> None:
    """What every playbook run begins with: apt free and packages whole."""
    with ctx.step("apt-lock", "Wait for apt"):
        apt.wait_for_lock(ctx)
        apt.write_config(ctx.paths)
    with ctx.step("dpkg", "Repair half-configured packages", watchdog=apt.APT_WATCHDOG):
        apt.repair(ctx, ctx.paths)
