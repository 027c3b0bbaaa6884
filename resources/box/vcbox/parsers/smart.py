"""SMART of NVMe disks, as smartctl and nvme-cli tell it in JSON. Numbers are None where they are not told."""

import json
from typing import Any

KEYS = {
    "critical_warning": "warning",
    "available_spare": "sparePercent",
    "avail_spare": "sparePercent",
    "available_spare_threshold": "spareLimit",
    "spare_thresh": "spareLimit",
    "percentage_used": "usedPercent",
    "percent_used": "usedPercent",
    "media_errors": "mediaErrors",
}


def _numbers(log: dict[str, Any]) -> dict[str, int | None]:
    found: dict[str, int | None] = dict.fromkeys(KEYS.values())
    for key, ours in KEYS.items():
        value = log.get(key)
        # Newer nvme-cli spells the warning out.
        if isinstance(value, dict):
            value = value.get("value")
        if isinstance(value, int) and not isinstance(value, bool):
            found[ours] = value
    return found


def parse_smart(text: str) -> dict[str, Any] | None:
    """`smartctl -j -a` or `nvme smart-log -o json`: `{passed, warning, sparePercent, spareLimit, usedPercent, mediaErrors}`;
    None for what is no such answer or holds no SMART of an NVMe disk."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    log = found.get("nvme_smart_health_information_log", found)
    numbers = _numbers(log if isinstance(log, dict) else {})
    status = found.get("smart_status")
    passed = status.get("passed") if isinstance(status, dict) else None
    return None if passed is None and numbers["warning"] is None else {"passed": passed, **numbers}
