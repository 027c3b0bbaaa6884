"""monitor.sh shows what nvidia-smi and the kernel tell."""

import json
from typing import Any

from vcbox.checks.base import Look, Profile, Raw, Result, judged, said
from vcbox.monitor import FIELDS, parse_gpus, parse_meminfo

ID, TITLE, LAYER = "l5_monitor", "monitor.sh agrees with nvidia-smi", 5
COMMAND = "/usr/local/bin/monitor.sh"
QUERY = ("nvidia-smi", f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader,nounits")
# Between two looks these move; how far they may lie outside of what nvidia-smi told just before and after.
MOVES = {
    "utilization.gpu": 100,
    "memory.used": 512,
    "temperature.gpu": 3,
    "power.draw": 50,
    "clocks.current.sm": 3000,
    "fan.speed": 10,
    "pcie.link.gen.current": 6,
    "pcie.link.width.current": 16,
}
MEMORY_MIB = 1024


def gather(look: Look) -> Raw:
    # Asked twice, so not through the memory of `look`, which would give the first answer again.
    before = Look(admin=look.admin).command(*QUERY)
    shown = look.command("runuser", "-u", look.admin, "--", COMMAND, "--json")
    after = Look(admin=look.admin).command(*QUERY)
    return {"before": before, "shown": shown, "after": after, "meminfo": look.read("/proc/meminfo")}


def agrees(field: str, shown: Any, told: list[Any]) -> bool:
    """Whether a value is one that nvidia-smi told, or for one that moves lies about there."""
    if shown in told:
        return True
    numbers = [value for value in (*told, shown) if isinstance(value, (int, float))]
    if field not in MOVES or len(numbers) < 3:
        return False
    return min(numbers[:2]) - MOVES[field] <= shown <= max(numbers[:2]) + MOVES[field]


def differences(shown: dict[str, Any], raw: Raw) -> list[str]:
    before, after = (
        parse_gpus(raw[key]["out"]) if raw[key]["status"] == 0 else [] for key in ("before", "after")
    )
    if len(shown["gpus"]) != len(after):
        return [f"it shows {len(shown['gpus'])} GPUs, nvidia-smi {len(after)}"]
    bad = []
    for mine, old, new in zip(
        shown["gpus"], before if len(before) == len(after) else after, after, strict=True
    ):
        for field in FIELDS:
            if not agrees(field, mine.get(field), [old[field], new[field]]):
                bad.append(f"GPU {new['index']} {field}: {mine.get(field)}, nvidia-smi {new[field]}")
    memory = parse_meminfo(raw["meminfo"] or "")
    if shown["memory"]["totalMiB"] != memory["totalMiB"]:
        bad.append(f"memory {shown['memory']['totalMiB']} MiB, the kernel {memory['totalMiB']}")
    if abs(shown["memory"]["usedMiB"] - memory["usedMiB"]) > MEMORY_MIB:
        bad.append(f"used {shown['memory']['usedMiB']} MiB, the kernel {memory['usedMiB']}")
    percent = shown["cpu"]["percent"]
    if percent is None or not 0 <= percent <= 100:
        bad.append(f"CPU {percent} %")
    return bad


def judge(raw: Raw, profile: Profile) -> Result:
    want, again = "the same values", "Run layer 5 again."
    if raw["shown"]["status"]:
        return judged(False, said(raw["shown"]), want, again)
    try:
        shown = json.loads(raw["shown"]["out"])
        bad = differences(shown, raw)
    except (ValueError, KeyError, TypeError) as e:
        return judged(False, f"it does not print what it should: {type(e).__name__} {e}"[:300], want, again)
    if shown["gpuError"]:
        advice = "Mend the driver first: run layer 2 again."
        return judged(False, f"no GPU is told of: {shown['gpuError']}", want, advice)
    value = "; ".join(bad)[:1000] or f"{len(shown['gpus'])} GPUs, {len(FIELDS)} values each, CPU and memory"
    return judged(not bad, value, want, again, evidence=raw["shown"]["out"])
