"""The administrator can start a demo of each framework, and the models that a site bundle brought lie where the demos look."""

import json
import os
from pathlib import Path

from vcbox.checks.base import Look, Profile, Raw, Result, judged
from vcbox.checks.frameworks_look import QUIET, why_silent
from vcbox.checks.l5_commands import others_write
from vcbox.checks.vllm_look import FETCHED, PLACED

ID, TITLE, LAYER = "l5_demos", "Demos start", 5
FOLDER = "/opt/vault-cube/demos"
DEMOS = ("pytorch", "tensorflow", "vllm")
SECONDS = 300.0


def unplaced(look: Look) -> list[str]:
    """Files of the bundle's models, as they were fetched, that the demos do not have, or have another one of; sorted, below models/."""
    fetched = look.path(str(FETCHED))
    there = [Path(folder, name) for folder, _, names in os.walk(fetched) for name in names]

    def same(file: Path) -> bool:
        placed = look.path(str(PLACED)) / file.relative_to(fetched)
        # A copy has no more in common that can be seen without reading gigabytes.
        return placed.is_file() and placed.stat().st_size == file.stat().st_size

    return sorted(str(file.relative_to(fetched)) for file in there if not same(file))


def gather(look: Look) -> Raw:
    told, env = {}, [f"{key}={value}" for key, value in QUIET.items()]
    for name in DEMOS:
        argv = ["env", "--chdir=/", "HOME=/nonexistent", *env, f"{FOLDER}/{name}_demo.py", "--check"]
        told[name] = look.command("runuser", "-u", look.admin, "--", *argv, timeout=SECONDS)
    files = [*(f"{name}_demo.py" for name in DEMOS), "README.md"]
    missing = [file for file in files if look.read(f"{FOLDER}/{file}") is None]
    writable = [f for f in files if others_write(f"{FOLDER}/{f}")]
    return {"told": told, "missing": missing, "open": writable, "unplaced": unplaced(look)}


def answer(out: str) -> dict[str, object] | None:
    """The last line of a demo, which is JSON; frameworks may print before it."""
    try:
        found = json.loads((out.strip().splitlines() or [""])[-1])
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def judge(raw: Raw, profile: Profile) -> Result:
    want = "each starts, with the bundle's models"
    if raw["missing"]:
        return judged(False, f"missing: {', '.join(raw['missing'])}", want, "Run layer 5 again.")
    bad, good = [f"{name}: not root's alone to write" for name in raw["open"]], []
    bad += [f"{PLACED}/{name}: not as the bundle has it" for name in raw["unplaced"]]
    for name, told in raw["told"].items():
        found = answer(told["out"]) if told["status"] == 0 else None
        if found and found.get("demo") == name:
            good.append(f"{name} {found.get('version')} with {found.get('gpus')} GPUs")
        else:
            bad.append(f"{name}: {why_silent(told)}")
    value = "; ".join(bad)[:1000] or ", ".join(good)
    return judged(not bad, value, want, "Run layer 4 again, then layer 5.")
