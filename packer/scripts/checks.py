"""In the machine: the checks that a list names, with the code of the box. `checks.py CODE LIST`; one JSON object a line on stdout.

LIST is JSON: `{"suites": ["l1"…], "checks": [id…], "skip": {id: reason}, "expect": {adminUser, adminUid, sshPort}}`. Suites are those of
the box, layers too; `checks` are more of them. The profile is the one that layer 5 left.
A check that stands in `skip` is told as not run, with its reason, and not looked at.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def main(code: str, listed: str) -> int:
    sys.path.insert(0, code)
    from vcbox import byhand, checks
    from vcbox.checks.base import Look, not_run, run_check
    from vcbox.eventlog import read_evidence
    from vcbox.hands import Hands
    from vcbox.load import Bench
    from vcbox.selfrun import read_profile

    order: dict[str, Any] = json.loads(Path(listed).read_text())
    profile, _ = read_profile()
    profile = {**profile, "box": order.get("expect", {})}
    ctx = byhand.ByHand()
    look = Look(job="image", hands=Hands(ctx), bench=Bench(ctx, None, "a virtual machine"), profile=profile)
    print(json.dumps({"type": "evidence", "evidence": read_evidence()}))
    ids = [id for suite in order["suites"] for id in checks.listed(suite)]
    for id in dict.fromkeys([*ids, *order["checks"]]):
        module = checks.load(id)
        if module is None:
            print(f"checks.py: there is no check {id}", file=sys.stderr)
            return 64
        reason = order.get("skip", {}).get(id)
        if reason is not None:
            told = not_run(reason)
            module = SimpleNamespace(
                **{**vars(module), "gather": lambda _: {}, "judge": lambda *_, told=told: told}
            )
        print(json.dumps({"type": "check", "check": run_check(module, look, profile)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
