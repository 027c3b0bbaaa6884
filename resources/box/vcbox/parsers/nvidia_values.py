"""Values as nvidia-smi writes them: "81559 MiB", "16x", "72.09 W", "[N/A]"."""

import re

ABSENT = {
    "",
    "n/a",
    "[n/a]",
    "[not supported]",
    "not supported",
    "[unknown error]",
    "unknown",
    "none",
    "[gpu requires reset]",
    "requested functionality has been deprecated",
}
NUMBER = re.compile(r"^-?\d+(\.\d+)?")
# What stands in place of a value where the driver has lost the card.
LOST = re.compile(r"GPU is lost|GPU requires reset|Unknown Error|^\[?ERR!?\]?$", re.IGNORECASE)


def text(value: str | None) -> str | None:
    value = (value or "").strip()
    return None if value.lower() in ABSENT else value


def number(value: str | None) -> float | None:
    """The number at the start of "81559 MiB", "16x", "72.09 W"; None for N/A."""
    found = NUMBER.match(text(value) or "")
    return float(found.group()) if found else None


def whole(value: str | None) -> int | None:
    n = number(value)
    return None if n is None else int(n)
