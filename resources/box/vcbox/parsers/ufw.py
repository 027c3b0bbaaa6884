"""`ufw status verbose` (LC_ALL=C)."""

import re
from typing import Any

COLUMNS = re.compile(r"\s{2,}")
DEFAULTS = re.compile(r"(\w+) \((\w+)\)")


def parse_status(text: str) -> dict[str, Any]:
    """`{active: bool or None, defaults: {incoming: "deny", …}, rules: [{to, action, from}]}`; None when it is no status."""
    status: dict[str, Any] = {"active": None, "defaults": {}, "rules": []}
    table = False
    for line in text.splitlines():
        if line.startswith("Status:"):
            status["active"] = line.split(":", 1)[1].strip() == "active"
        elif line.startswith("Default:"):
            status["defaults"] = {direction: policy for policy, direction in DEFAULTS.findall(line)}
        elif line.startswith("--"):
            table = True
        elif table and line.strip():
            cells = COLUMNS.split(line.strip())
            if len(cells) >= 3:
                rule = {"to": cells[0], "action": cells[1], "from": cells[2].split(" # ")[0].strip()}
                status["rules"].append(rule)
            else:
                status["rules"].append({"to": line.strip(), "action": "?", "from": "?"})
    return status
