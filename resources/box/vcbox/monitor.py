"""monitor.sh: a live table of CPU, memory and every GPU.

`monitor [--once] [--json] [--interval SECONDS]`. Without a terminal it prints the table once. Leaves with q or Ctrl+C.
"""

import argparse
import contextlib
import json
import os
import select
import shutil
import sys
import termios
import time
import tty
from collections.abc import Iterator
from typing import Any

from vcbox.eventlog import read_evidence
from vcbox.parsers.nvidia_smi import cell_value, parse_csv_row
from vcbox.process import capture

INTERVAL, INTERVAL_MIN = 1.0, 0.2
# Long enough that a kernel tick is under two percent of it.
ONCE_SECONDS = 0.5
# Each column: its heading, its field, its width. Where not all fit, the last are left out.
COLUMNS = (
    ("GPU", "index", 3),
    ("Util %", "utilization.gpu", 6),
    ("Memory MiB", "memory", 15),
    ("°C", "temperature.gpu", 4),
    ("Power W", "power", 11),
    ("SM MHz", "clocks.current.sm", 6),
    ("PCIe", "pcie", 8),
    ("Fan %", "fan.speed", 5),
    ("Name", "name", 24),
)
FIELDS = (
    "index",
    "uuid",
    "name",
    "utilization.gpu",
    "memory.used",
    "memory.total",
    "temperature.gpu",
    "power.draw",
    "power.limit",
    "clocks.current.sm",
    "fan.speed",
    "pcie.link.gen.current",
    "pcie.link.width.current",
)
WORDS = ("uuid", "name")


def parse_stat(text: str) -> tuple[int, int]:
    """`/proc/stat`: ticks in which the processors worked, and all ticks, since the start."""
    ticks = [int(n) for n in text.split("\n", 1)[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return sum(ticks) - idle, sum(ticks)


def parse_meminfo(text: str) -> dict[str, int]:
    """`/proc/meminfo` in MiB: total, and used as `free` counts it (what is not available to programs)."""
    kib = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines() if len(line.split()) >= 2}
    total = kib["MemTotal"] // 1024
    return {"totalMiB": total, "usedMiB": total - kib["MemAvailable"] // 1024}


def parse_gpus(text: str) -> list[dict[str, Any]]:
    """nvidia-smi's rows in the order of FIELDS; None for what a card does not tell."""
    rows = [parse_csv_row(line) for line in text.splitlines() if line.strip()]
    return [
        {f: cell if f in WORDS else cell_value(cell) for f, cell in zip(FIELDS, row, strict=True)}
        for row in rows
        if len(row) == len(FIELDS)
    ]


def read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def gpus() -> tuple[list[dict[str, Any]], str | None]:
    """The GPUs, and why there are none."""
    query = ["nvidia-smi", f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader,nounits"]
    status, out, err = capture(query, 10.0)
    if status:
        return [], (err.strip() or out.strip() or f"nvidia-smi ended with {status}").splitlines()[0]
    return parse_gpus(out), None


def look(before: tuple[int, int]) -> tuple[dict[str, Any], tuple[int, int]]:
    """What is to be seen now; `before` is an earlier parse_stat, and the new one comes back."""
    now = parse_stat(read("/proc/stat"))
    spent = now[1] - before[1]
    found, why = gpus()
    cpu = {
        "percent": round(100 * (now[0] - before[0]) / spent, 1) if spent > 0 else None,
        "processors": os.cpu_count(),
        "load": [float(n) for n in read("/proc/loadavg").split()[:3]],
    }
    seen = {"cpu": cpu, "memory": parse_meminfo(read("/proc/meminfo")), "gpus": found, "gpuError": why}
    return {**seen, "evidence": read_evidence()}, now


def text(value: Any) -> str:
    return "-" if value is None else str(round(value) if isinstance(value, float) else value)


def cells(gpu: dict[str, Any]) -> dict[str, str]:
    pairs = {
        "memory": f"{text(gpu['memory.used'])} / {text(gpu['memory.total'])}",
        "power": f"{text(gpu['power.draw'])} / {text(gpu['power.limit'])}",
        "pcie": f"{text(gpu['pcie.link.gen.current'])} x{text(gpu['pcie.link.width.current'])}",
    }
    return {**{field: text(value) for field, value in gpu.items()}, **pairs}


def bar(part: float | None, width: int) -> str:
    """`part` of 100 as a bar."""
    full = round(width * min(max(part or 0.0, 0.0), 100.0) / 100)
    return f"[{'#' * full}{'.' * (width - full)}]"


def draw(seen: dict[str, Any], width: int, height: int) -> list[str]:
    """The table as lines that fit: columns that do not are left out from the right, GPUs that do not are counted."""
    cpu, memory = seen["cpu"], seen["memory"]
    share = 100 * memory["usedMiB"] / memory["totalMiB"]
    mark = "" if seen["evidence"] == "real" else f" [{seen['evidence']}]"
    size = max(4, min(40, width - 40))
    lines = [
        f"Vault Cube{mark}  load {' '.join(f'{n:.2f}' for n in cpu['load'])}",
        f"CPU    {bar(cpu['percent'], size)} {text(cpu['percent']):>3} % of {cpu['processors']}",
        f"Memory {bar(share, size)} {share:3.0f} % {memory['usedMiB']} / {memory['totalMiB']} MiB",
        "",
    ]
    shown, used = [], 0
    for column in COLUMNS:
        if used + column[2] > width:
            break
        shown.append(column)
        used += column[2] + 2
    lines.append("  ".join(f"{heading:>{size}}" for heading, _, size in shown))
    room = max(height - len(lines) - 1, 1)
    for gpu in seen["gpus"][:room]:
        row = cells(gpu)
        lines.append("  ".join(f"{row[field][:size]:>{size}}" for _, field, size in shown))
    hidden = len(seen["gpus"]) - room
    if hidden > 0:
        lines.append(f"{hidden} more: make the window higher")
    if seen["gpuError"]:
        lines.append(f"no GPU is told of: {seen['gpuError']}")
    return [line[:width].rstrip() for line in lines]


@contextlib.contextmanager
def screen() -> Iterator[None]:
    """The terminal's other screen, keys without Enter; all as it was afterwards."""
    keys = sys.stdin.fileno()
    before = termios.tcgetattr(keys)
    tty.setcbreak(keys)
    sys.stdout.write("\x1b[?1049h\x1b[?25l")
    try:
        yield
    finally:
        sys.stdout.write("\x1b[?25h\x1b[?1049l")
        sys.stdout.flush()
        termios.tcsetattr(keys, termios.TCSADRAIN, before)


def live(interval: float) -> None:
    """Draws until q is pressed. The size is asked for each time, so that a window may change."""
    before = parse_stat(read("/proc/stat"))
    with screen():
        seen, before = look(before)
        while True:
            size = shutil.get_terminal_size()
            lines = draw(seen, size.columns, size.lines - 1)
            lines += [""] * (size.lines - 1 - len(lines)) + ["q leaves"[: size.columns]]
            sys.stdout.write("\x1b[H" + "\r\n".join(f"{text}\x1b[K" for text in lines))
            sys.stdout.flush()
            ready, _, _ = select.select([sys.stdin], [], [], interval)
            if ready and os.read(sys.stdin.fileno(), 1) in (b"q", b"Q", b""):
                return
            seen, before = look(before)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="monitor.sh", description="A live table of CPU, memory and every GPU. q leaves."
    )
    parser.add_argument(
        "--once", action="store_true", help="print the table once; so it does without a terminal"
    )
    parser.add_argument("--json", action="store_true", help="print what is seen once, as one JSON object")
    parser.add_argument(
        "--interval", type=float, default=INTERVAL, help="seconds between two looks (%(default)s)"
    )
    args = parser.parse_args(argv)
    if not (args.once or args.json) and sys.stdin.isatty() and sys.stdout.isatty():
        with contextlib.suppress(KeyboardInterrupt):
            live(max(args.interval, INTERVAL_MIN))
        return 0
    before = parse_stat(read("/proc/stat"))
    time.sleep(ONCE_SECONDS)
    seen, _ = look(before)
    if args.json:
        print(json.dumps(seen))
    else:
        size = shutil.get_terminal_size()
        print("\n".join(draw(seen, size.columns, max(size.lines, len(seen["gpus"]) + 7))))
    return 0
