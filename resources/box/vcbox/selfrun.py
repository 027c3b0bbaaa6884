"""A validation suite on the box itself, without the app and without a job: what vault-cube-test-* in /usr/local/bin run.

`test <suite> [--list] [--json] [--yes] [--seconds N]`. The same checks and thresholds as the app's; the profile is the one that layer 5 left in
/etc/vault-cube/profile.json. Exit codes as everywhere: 0 passed, 10 with deviations, 20 failed, 21 incomplete; 2 for a wrong call. A suite that puts load on
the GPUs first asks whether it may, naming watts and time; with --yes it does not ask, and without a terminal it does not run.
"""

import argparse
import json
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from vcbox import byhand, checks
from vcbox.checks import soak_look
from vcbox.checks.base import Look, run_check
from vcbox.eventlog import read_evidence
from vcbox.load import Bench
from vcbox.outcome import EXIT_CODES, WORDS, decide, expectation_of
from vcbox.telemetry import Telemetry

PROFILE = Path("/etc/vault-cube/profile.json")
# The suites that a command in /usr/local/bin runs.
KNOWN = {
    "gpu-detection": "T1 GPU detection",
    "pytorch-ddp": "T2 PyTorch DDP",
    "tensorflow": "T3 TensorFlow",
    "vllm": "T4 vLLM",
    "docker-gpu": "T5 Docker GPU",
    "stress": "T7 Stress",
}
# Minutes that a suite loads the GPUs, as the specification has it; a soak says its own.
LOAD_MINUTES = {"pytorch-ddp": 10, "tensorflow": 5, "vllm": 10}
SIGNS = {"pass": "✓", "warn": "!", "fail": "✕", "error": "✕", "not_run": "–", "not_supported": "–"}


def read_profile(path: Path = PROFILE) -> tuple[dict[str, Any], str | None]:
    """The profile, and why there is none."""
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}, f"there is no {path}: layer 5 writes it"
    except (OSError, ValueError) as e:
        return {}, f"{path} cannot be read: {e}"
    return (found, None) if isinstance(found, dict) else ({}, f"{path} is no profile")


def line(result: dict[str, Any]) -> str:
    """One check for people."""
    unit = f" {result['unit']}" if result["unit"] else ""
    value = "" if result["value"] is None else f": {result['value']}{unit}"
    wanted = f" (wanted {result['threshold']})" if result["threshold"] and result["verdict"] != "pass" else ""
    text = f"{SIGNS[result['verdict']]} {result['verdict'].replace('_', ' '):13} {result['title']}{value}{wanted}"
    more = [result["reason"], result["nextAction"]]
    return "\n".join([text, *(f"  {word}" for word in more if word)])


def question(suite: str, profile: dict[str, Any], seconds: float | None) -> str | None:
    """What is asked before load is put on the box; None for a suite that puts none."""
    if suite == soak_look.SUITE:
        minutes = (seconds or soak_look.profile_seconds(profile)) / 60
    elif suite in LOAD_MINUTES:
        minutes = LOAD_MINUTES[suite]
    else:
        return None
    return f"{KNOWN[suite]} loads all GPUs: the box draws {byhand.watts_of(profile)} for about {minutes:.0f} minutes."


def run(suite: str, as_json: bool, *, yes: bool = False, seconds: float | None = None) -> str:
    """Runs the suite's checks and prints them; returns the outcome."""
    evidence = read_evidence()
    profile, why = read_profile()
    ids = checks.SUITES[suite]
    if not as_json:
        print(f"{KNOWN[suite]} [{evidence}]")
        if why:
            print(f"! no profile: {why}; what it would name is not judged")
        if os.geteuid():
            print("! not root: what only root can read is not judged")
    ask = question(suite, profile, seconds)
    refused = byhand.agreed(ask, yes=yes) if ask else None
    ctx = byhand.ByHand()
    telemetry = Telemetry(ctx, 1.0) if ask and not refused else None
    look = Look(job="by-hand", bench=Bench(ctx, telemetry, refused), profile=profile, soak_seconds=seconds)
    judged = []
    with telemetry or nullcontext():
        for id in ids:
            module = checks.load(id)
            assert module
            result = run_check(module, look, profile)
            judged.append((result["verdict"], expectation_of(profile, id, evidence)))
            print(json.dumps({"type": "check", "check": result}) if as_json else line(result), flush=True)
    outcome = decide(judged)
    if as_json:
        found = {
            "type": "result",
            "suite": suite,
            "outcome": outcome,
            "evidence": evidence,
            "reason": refused,
        }
        print(json.dumps(found))
    else:
        print(f"{KNOWN[suite]}: {WORDS[outcome]}{f': {refused}' if refused else ''} [{evidence}]")
    return outcome


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog=os.environ.get("VAULT_CUBE_COMMAND", "test"),
        description="Runs a validation suite on this box. Exit codes: 0 passed, 10 passed with deviations, 20 failed, 21 incomplete.",
    )
    parser.add_argument("suite", choices=sorted(KNOWN), help=argparse.SUPPRESS)
    parser.add_argument("--list", action="store_true", help="only name the checks, run nothing; exit code 0")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--yes", action="store_true", help="agree to the load that the suite puts on the box")
    parser.add_argument("--seconds", type=float, help="how long a soak lasts, instead of the profile's time")
    args = parser.parse_args(argv)
    if args.seconds is not None and not 1 <= args.seconds <= 7 * 86400:
        parser.error("--seconds is from 1 to 604800")
    if args.list:
        found = checks.SUITES[args.suite]
        titles = {id: module.TITLE for id in found if (module := checks.load(id))}
        if args.json:
            print(json.dumps({"suite": args.suite, "built": True, "checks": titles}))
        else:
            print("\n".join(titles.values()))
        return 0
    return EXIT_CODES[run(args.suite, args.json, yes=args.yes, seconds=args.seconds)]
