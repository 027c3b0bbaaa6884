"""What nvidia-smi tells about the GPUs, looked at once for the checks of the suite. Not a check itself."""

from typing import Any

from vcbox.checks.base import Look, Profile, Raw, Result, error, not_run, not_supported
from vcbox.parsers.nvidia_smi import parse_query_xml

INSTALL = "Run layer 2, which installs the driver, then run the suite again."
SUITE = "gpu-detection"
# A card without persistence takes seconds to wake, and there may be eight; one that fell off the bus may answer never.
ANSWER_SECONDS = 60.0


def gather(look: Look) -> Raw:
    return look.once("gpus", lambda: _gather(look))


def _gather(look: Look) -> Raw:
    """`{status, why, query, seconds, at}`: query is None when nvidia-smi did not answer with its XML; `at`: the box's time, in s."""
    raw = look.command("nvidia-smi", "-q", "-x", timeout=ANSWER_SECONDS)
    try:
        query = parse_query_xml(raw["out"]) if raw["status"] == 0 else None
        why = raw["err"].strip() or raw["out"].strip()[:300]
    except ValueError as e:
        query, why = None, str(e)
    return {
        "status": raw["status"],
        "why": why,
        "query": query,
        "seconds": raw.get("seconds"),
        "at": raw.get("at"),
    }


def blocked(raw: Raw) -> Result | None:
    """The verdict of a check that needs GPUs where nvidia-smi tells of none; None where it does."""
    if raw["query"] is None:
        if raw["status"] == 127:
            return not_run("no NVIDIA driver is installed: nvidia-smi is missing", INSTALL)
        return not_run(f"nvidia-smi does not answer: {raw['why'][:200]}", "See the GPU count check.")
    if not raw["query"]["gpus"]:
        return not_run("nvidia-smi lists no GPU", "See the GPU count check.")
    return None


def gpu_profile(profile: Profile) -> dict[str, Any]:
    found = profile.get("gpu")
    return found if isinstance(found, dict) else {}


def threshold(value: Any, key: str = "max") -> tuple[Any, str | None]:
    """A threshold as the profile gives it: a plain value, or `{max|min|value|version, source}`. Returns value and source."""
    if isinstance(value, dict):
        for name in (key, "value", "max", "min", "version"):
            if name in value:
                return value[name], value.get("source")
        return None, value.get("source")
    return value, None


def unnamed(what: str) -> Result:
    return not_supported(f"the profile names no {what}")


def each(raw: Raw, field: str) -> list[tuple[str, Any]]:
    """`(bus address, value)` of every GPU."""
    return [(g["bus"] or "?", g[field]) for g in raw["query"]["gpus"]]


def listed(pairs: list[tuple[str, Any]], unit: str = "") -> str:
    """All values as one text; one value when they are the same."""
    values = {str(v) for _, v in pairs}
    if len(values) == 1:
        return f"{values.pop()}{unit}" + (f" on all {len(pairs)}" if len(pairs) > 1 else "")
    return ", ".join(f"{bus}: {value}{unit if value is not None else ''}" for bus, value in pairs)


def unread(pairs: list[tuple[str, Any]], what: str) -> Result | None:
    """An error where a card does not tell what the check is about."""
    silent = [bus for bus, value in pairs if value is None]
    return (
        error(f"{what} is not told by {', '.join(silent)}", "Look at nvidia-smi -q for that card.")
        if silent
        else None
    )


def silent(pairs: list[tuple[str, Any]]) -> bool:
    """Whether no card tells it: then it is not supported. That some do and others do not is an error (`unread`)."""
    return all(value is None for _, value in pairs)


def untold(pairs: list[tuple[str, Any]], nobody: str, what: str) -> Result | None:
    """not_supported with the reason `nobody` where no card tells it, an error where some do not; None where all do."""
    return not_supported(nobody) if silent(pairs) else unread(pairs, what)


def where(pairs: list[tuple[str, Any]], unit: str = "") -> str:
    """Only those named, one by one."""
    return ", ".join(f"{bus}: {value}{unit}" for bus, value in pairs)
