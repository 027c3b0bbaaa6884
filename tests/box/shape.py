"""A small validator of docs/adr/0002-job-mechanism.md: envelope, chain, and the fields of each kind."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

NUMBER = (int, float)
TEXT_OR_NONE = (str, type(None))
COUNTS = {"ok", "changed", "failed", "skipped"}
VERDICTS = {"pass", "warn", "fail", "error", "not_run", "not_supported"}
WAITING = {"link", "source", "apt lock", "logout", "confirm", "laptop", "other job"}
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
CHECK = [
    "id",
    "title",
    "layer",
    "suite",
    "verdict",
    "value",
    "unit",
    "threshold",
    "source",
    "reason",
    "nextAction",
    "evidence",
    "seconds",
]


def check_body(e: dict[str, Any]) -> None:
    kind = e["kind"]
    if kind == "started":
        assert isinstance(e["jobKind"], str) and isinstance(e["title"], str) and isinstance(e["pid"], int)
        assert re.fullmatch(r"[0-9a-f]{64}", e["specSha256"]) and set(e["laptop"]) == {"name", "user"}
        assert isinstance(e["runner"], str)
    elif kind == "step":
        assert isinstance(e["id"], str) and isinstance(e["title"], str) and e["state"] in ("begin", "end")
        if e["state"] == "begin":
            assert e["watchdog"] is None or set(e["watchdog"]) == {"seconds", "reason"}
            assert e["nominalSeconds"] is None or e["nominalSeconds"] >= 0
        else:
            assert e["outcome"] in ("ok", "failed", "skipped") and e["seconds"] >= 0
    elif kind == "task":
        assert (
            isinstance(e["step"], TEXT_OR_NONE) and isinstance(e["index"], int) and isinstance(e["name"], str)
        )
        assert e["total"] is None or isinstance(e["total"], int)
        assert isinstance(e["role"], TEXT_OR_NONE) and e["state"] in (
            "begin",
            "ok",
            "changed",
            "failed",
            "skipped",
        )
    elif kind == "progress":
        assert isinstance(e["phase"], str) and isinstance(e["done"], NUMBER)
        assert e["total"] is None or isinstance(e["total"], NUMBER)
        assert e["unit"] in ("bytes", "files", "events", "seconds") and isinstance(e["step"], TEXT_OR_NONE)
    elif kind == "samples":
        assert e["source"] == "gpu" and e["rows"]
        assert all(len(row) == len(e["fields"]) + 2 for row in e["rows"])
    elif kind == "check":
        c = e["check"]
        assert sorted(c) == sorted(CHECK)
        assert c["verdict"] in VERDICTS
        assert c["verdict"] not in ("not_run", "not_supported", "error") or c["reason"]
        assert c["evidence"] is None or len(c["evidence"]) <= 8000
    elif kind == "log":
        assert (
            e["stream"] in ("stdout", "stderr", "note")
            and len(e["text"]) <= 4000
            and isinstance(e["step"], TEXT_OR_NONE)
        )
    elif kind == "beat":
        assert e["quietSeconds"] >= 0 and isinstance(e["step"], TEXT_OR_NONE)
    elif kind == "waiting":
        assert e["for"] in WAITING and isinstance(e["detail"], str) and e["state"] in ("begin", "end")
    elif kind == "finished":
        assert e["outcome"] in ("passed", "failed", "cancelled") and e["seconds"] >= 0
        assert isinstance(e["code"], TEXT_OR_NONE) and isinstance(e["detail"], TEXT_OR_NONE)
        assert e["counts"] is None or set(e["counts"]) == COUNTS
        assert (e["code"] is None) == (e["outcome"] != "failed")
    else:
        raise AssertionError(f"unknown kind {kind}")


def validate(folder: Path) -> list[dict[str, Any]]:
    """Checks a whole log against the document; returns its events."""
    lines = (folder / "events.jsonl").read_bytes().split(b"\n")
    assert lines.pop() == b"", "the log ends with a newline"
    prev = hashlib.sha256((folder / "spec.json").read_bytes()).hexdigest()
    found, mono = [], 0.0
    for number, line in enumerate(lines, 1):
        e = json.loads(line)
        assert e["v"] == 1 and e["seq"] == number and e["prev"] == prev
        assert e["job"] == folder.parent.name and str(e["attempt"]) == folder.name
        assert (
            TIME.match(e["t"]) and len(e["boot"]) == 36 and e["evidence"] in ("real", "stand-in", "practice")
        )
        assert e["mono"] >= mono
        check_body(e)
        prev, mono = hashlib.sha256(line).hexdigest(), e["mono"]
        found.append(e)
    assert found[0]["kind"] == "started"
    finished = [e for e in found if e["kind"] == "finished"]
    assert finished == found[-1:], "finished is the last event, once"
    return found
