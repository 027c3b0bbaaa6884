"""What the load programs share: their parameters, and what they print. Nothing of vcbox is here: an environment's Python runs them.

A program prints one JSON object a line on stdout, each with `at` and `mono` (CLOCK_MONOTONIC in seconds):
`beat` (it got on; nothing else is told), `begin` and `end` of a measured `window`, `progress` (`done`, `total` in seconds), `measured` (`what` and
numbers with their units in their names), `done` at its end, and what docs/adr/0015-load-suites.md names for single programs.
A program that stops printing hangs, however busy it is: every line stands for work that a GPU has finished.
"""

import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def parameters(defaults: dict[str, Any]) -> dict[str, Any]:
    """The defaults with what the first argument, a JSON object, changes. Ends the program with 2 where that is none."""
    try:
        given = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    except ValueError:
        given = None
    if not isinstance(given, dict):
        print("the first argument is to be a JSON object", file=sys.stderr)
        sys.exit(2)
    return {**defaults, **given}


def plain(value: Any) -> Any:
    """As JSON has it: NaN and infinities, which it has not, as words."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def emit(at: str, **fields: Any) -> None:
    """One line in one write, so that several ranks can share a pipe."""
    told = {
        "at": at,
        "mono": round(time.monotonic(), 3),
        **{name: plain(value) for name, value in fields.items()},
    }
    data = json.dumps(told).encode() + b"\n"
    while data:
        data = data[os.write(1, data) :]


@contextmanager
def window(name: str, **fields: Any) -> Iterator[None]:
    """What is measured lies between `begin` and `end`; what fails in between has no end."""
    emit("begin", window=name, **fields)
    yield
    emit("end", window=name)


def uuid_of(torch: Any, index: int) -> str | None:
    """The card's UUID as nvidia-smi prints it; None where this PyTorch does not tell."""
    found = getattr(torch.cuda.get_device_properties(index), "uuid", None)
    return f"GPU-{found}" if found else None


def seed_of(*words: Any) -> int:
    """The same number for the same words, in every process."""
    return int.from_bytes(hashlib.sha256(repr(words).encode()).digest()[:4], "big")
