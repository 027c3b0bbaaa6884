"""What a few checks may do beside looking, as part of a job of the app: run an installed role again, ask the laptop."""

import json
import os
from typing import Any

from vcbox import apt, playbook
from vcbox.context import Context, JobFailed

FINDING_MAX = 64 * 1024
POLL_SECONDS = 0.1


class Hands:
    """Belongs to one job. `changed` counts the tasks that really changed the box."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.changed = 0

    @property
    def params(self) -> dict[str, Any]:
        return self.ctx.params

    def orders(self) -> list[dict[str, Any]]:
        """`{role, layer, playbook, tags, vars}` of each role that was installed, with what it was installed with."""
        return [o for o in self.params.get("roles") or [] if isinstance(o, dict)]

    def order(self, role: str) -> dict[str, Any] | None:
        return next((o for o in self.orders() if o.get("role") == role), None)

    def foreseeable(self) -> bool:
        return apt.foreseeable(self.ctx.paths)

    def play(self, order: dict[str, Any], *, check: bool) -> dict[str, Any]:
        """Runs a role again, in check mode or really: `{counts, changed, failure}`; failure names the task and what it said."""
        apt.wait_for_lock(self.ctx)
        records = playbook.Records(self.ctx)
        failure = None
        try:
            playbook.run(self.ctx, check=check, order=order, records=records)
        except JobFailed as e:
            failure = e.detail
        if not check:
            self.changed += len(records.changed)
        return {"counts": records.counts, "changed": records.changed, "failure": failure}

    def ask_laptop(self, why: str, seconds: float) -> dict[str, Any] | None:
        """What the laptop found (docs/adr/0002-job-mechanism.md, `finding.json`); None when it told nothing in time."""
        path = self.ctx.control / "finding.json"
        with self.ctx.waiting("laptop", why):
            for _ in range(round(seconds / POLL_SECONDS)):
                if path.exists():
                    break
                self.ctx.sleep(POLL_SECONDS)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return None
        with os.fdopen(fd, "rb") as f:
            found = json.loads(f.read(FINDING_MAX))
        return found if isinstance(found, dict) else None
