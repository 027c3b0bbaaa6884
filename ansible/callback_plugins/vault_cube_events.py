"""Ansible's usual output for people, and between its lines one record for each thing that a program wants to know.

A record is a line of its own on stdout: the byte 0x1e, then one JSON object (ASCII, no newline inside):
  {"ev": "total", "total": N or null}     tasks that are known to run or to be skipped; null: not knowable beforehand.
                                          Sent again whenever more is known: handlers count from when they start.
  {"ev": "task", "index", "name", "role" or null, "state": "begin"}
  {"ev": "task", …, "state": "ok" | "changed" | "failed" | "skipped", "seconds", "detail" or null}
  {"ev": "stats", "ok", "changed", "failed", "skipped", "unreachable"}   tasks; `ok` are those that changed nothing

`index` counts from 1 in the order in which tasks begin. A loop is one task; its detail names the items that changed or
failed. Under `no_log` a detail is the words with which Ansible censors. Made for runs on one host, as on the box itself:
with more hosts a task ends once for each of them.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from ansible import constants as C
from ansible.playbook.block import Block
from ansible.plugins.callback.default import CallbackModule as Default

DOCUMENTATION = """
    name: vault_cube_events
    type: stdout
    short_description: the default output with a machine-readable line for each task
    description:
      - Prints what the C(default) callback prints and, on lines that begin with the byte 0x1e, JSON records of the
        number of tasks, of each task's begin and end, and of the totals.
    extends_documentation_fragment:
      - default_callback
      - result_format_callback
    requirements:
      - set as stdout callback, for example with E(ANSIBLE_STDOUT_CALLBACK)
"""

MARK = "\x1e"
DETAIL_MAX = 4000
ITEMS_MAX = 8
# Ansible's own words for tasks whose number is only known while they run.
DYNAMIC = (*C._ACTION_INCLUDE_TASKS, *C._ACTION_INCLUDE_ROLE)


def count_block(block: Block) -> int | None:
    """Tasks of a block that run if nothing fails; None when a part is only found while it runs. A rescue is not counted."""
    total = 0
    for entry in [*block.block, *block.always]:
        if isinstance(entry, Block):
            inner = count_block(entry)
            if inner is None:
                return None
            total += inner
        elif entry.action in DYNAMIC:
            return None
        elif entry.action not in C._ACTION_META:
            total += 1
    return total


def gathers(play: Any) -> bool:
    """Whether the play begins with a task of Ansible's own that gathers facts."""
    if C.DEFAULT_GATHERING == "explicit":
        return bool(play.gather_facts)
    return play.gather_facts is None or bool(play.gather_facts)


def count_play(play: Any) -> int | None:
    """Tasks of a play that its tags select; None as above."""
    variables = play.get_variable_manager().get_vars(play=play)
    total = 1 if gathers(play) else 0
    for block in play.compile():
        found = count_block(block.filter_tagged_tasks(variables))
        if found is None:
            return None
        total += found
    return total


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def failure(result: dict[str, Any]) -> str:
    """Why it failed: the message, and for commands what they printed last."""
    parts = [text(result[key]).strip() for key in ("msg", "censored") if result.get(key)]
    printed = next((result[k] for k in ("stderr", "module_stderr", "stdout", "module_stdout") if result.get(k)), "")
    tail = text(printed).strip()[-1500:]
    if tail and tail not in parts:
        parts.append(tail)
    return "\n".join(parts) or "no message"


class CallbackModule(Default):
    """See the module's text."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "vault_cube_events"

    def __init__(self) -> None:
        super().__init__()
        self.total: int | None = None
        self.index = 0
        self.begun = 0.0

    def record(self, **fields: Any) -> None:
        self._display.display(MARK + json.dumps(fields), screen_only=True)
        sys.stdout.flush()

    # How many there are.

    def v2_playbook_on_start(self, playbook: Any) -> None:
        super().v2_playbook_on_start(playbook)
        counts = [count_play(play) for play in playbook.get_plays()]
        self.total = None if None in counts else sum(n for n in counts if n is not None)
        self.record(ev="total", total=self.total)

    def raise_total(self, least: int) -> None:
        if self.total is not None and self.total < least:
            self.total = least
            self.record(ev="total", total=least)

    # A task's begin.

    def begin(self, task: Any) -> None:
        if task.action in C._ACTION_META:
            return  # steers Ansible and does nothing on the box; most have no end
        self.index += 1
        self.raise_total(self.index)
        self.begun = time.monotonic()
        self.record(ev="task", **self.named(task), state="begin")

    def named(self, task: Any) -> dict[str, Any]:
        role = task._role.get_name() if task._role else None
        return {"index": self.index, "name": str(task.name or task.action), "role": role}

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        super().v2_playbook_on_task_start(task, is_conditional)
        self.begin(task)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        super().v2_playbook_on_handler_task_start(task)
        # Handlers were not foreseen, so each adds one to what is still to come.
        if self.total is not None:
            self.raise_total(self.total + 1)
        self.begin(task)

    # A task's end. The records come first: the default callback takes things out of the result when it prints it.

    def end(self, task: Any, state: str, detail: str | None) -> None:
        seconds = round(time.monotonic() - self.begun, 3)
        cut = detail[:DETAIL_MAX] if detail else None
        self.record(ev="task", **self.named(task), state=state, seconds=seconds, detail=cut)

    def items(self, result: dict[str, Any], key: str) -> list[dict[str, Any]]:
        found = result.get("results")
        return [r for r in found if isinstance(r, dict) and r.get(key)] if isinstance(found, list) else []

    def labels(self, items: list[dict[str, Any]]) -> str:
        labels = list(dict.fromkeys(text(self._get_item_label(item)) for item in items))
        names = labels[:ITEMS_MAX]
        more = len(labels) - len(names)
        return ", ".join(names) + (f" and {more} more" if more else "")

    def v2_runner_on_ok(self, result: Any) -> None:
        found = result.result
        if found.get("changed"):
            self.end(result.task, "changed", self.labels(self.items(found, "changed")) or None)
        else:
            self.end(result.task, "ok", None)
        super().v2_runner_on_ok(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        found = result.result
        items = self.items(found, "failed")
        lines = [f"{text(self._get_item_label(item))}: {failure(item)}" for item in items[:ITEMS_MAX]]
        why = "\n".join(lines) or failure(found)
        if ignore_errors:
            self.end(result.task, "ok", f"failed, which this task ignores: {why}")
        else:
            self.end(result.task, "failed", why)
        super().v2_runner_on_failed(result, ignore_errors)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self.end(result.task, "failed", f"not reachable: {failure(result.result)}")
        super().v2_runner_on_unreachable(result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        if result.task.action not in C._ACTION_META:
            found = result.result
            why = found.get("skipped_reason") or found.get("skip_reason")
            if found.get("false_condition"):
                why = f"not so: {text(found['false_condition'])}"
            self.end(result.task, "skipped", text(why) if why else None)
        super().v2_runner_on_skipped(result)

    # The end of the run.

    def v2_playbook_on_stats(self, stats: Any) -> None:
        super().v2_playbook_on_stats(stats)
        hosts = [stats.summarize(host) for host in stats.processed]
        sums = {key: sum(h[key] for h in hosts) for key in ("ok", "changed", "failures", "skipped", "unreachable")}
        self.record(
            ev="stats",
            ok=sums["ok"] - sums["changed"],
            changed=sums["changed"],
            failed=sums["failures"],
            skipped=sums["skipped"],
            unreachable=sums["unreachable"],
        )
