"""The validation commands are there, root's alone to write, and lead to the code and the suites of this version."""

import json
import os
import stat

from vcbox import checks
from vcbox.checks.base import Look, Profile, Raw, Result, judged, said

ID, TITLE, LAYER = "l5_commands", "Validation commands run", 5
FOLDER = "/usr/local/bin"
COMMANDS = {
    "vault-cube-test-gpu": "gpu-detection",
    "vault-cube-test-ddp": "pytorch-ddp",
    "vault-cube-test-tensorflow": "tensorflow",
    "vault-cube-test-vllm": "vllm",
    "vault-cube-test-docker": "docker-gpu",
    "vault-cube-test-stress": "stress",
}


def others_write(path: str) -> bool:
    """Whether somebody else than root could change it; a link is as what it leads to."""
    try:
        about = os.stat(path)
    except OSError:
        return False
    return about.st_uid != 0 or bool(stat.S_IMODE(about.st_mode) & 0o022)


def gather(look: Look) -> Raw:
    paths = {name: f"{FOLDER}/{name}" for name in COMMANDS}
    told = {
        name: look.command("runuser", "-u", look.admin, "--", path, "--list", "--json")
        for name, path in paths.items()
    }
    return {"told": told, "open": [name for name, path in paths.items() if others_write(path)]}


def problem(name: str, told: Raw) -> str | None:
    if told["status"]:
        return said(told)
    try:
        found = json.loads(told["out"])
    except ValueError:
        return f"it printed {told['out'][:80]!r}"
    suite = COMMANDS[name]
    if found.get("suite") != suite:
        return f"it runs {found.get('suite')}, not {suite}"
    if list(found.get("checks") or {}) != checks.SUITES.get(suite, []):
        return "it runs other checks than the app does"
    return None


def judge(raw: Raw, profile: Profile) -> Result:
    bad = [f"{name}: {why}" for name, told in raw["told"].items() if (why := problem(name, told))]
    bad += [f"{name}: not root's alone to write" for name in raw["open"]]
    built = [name for name in COMMANDS if checks.SUITES.get(COMMANDS[name])]
    value = "; ".join(bad)[:1000] or f"{len(COMMANDS)} commands; suites of this version: {', '.join(built)}"
    return judged(not bad, value, "each leads to its suite", "Run layer 5 again.")
