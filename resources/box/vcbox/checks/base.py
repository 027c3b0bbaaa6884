"""What every check is made of: a look that gathers, a pure judge, a result in the shape of docs/adr/0002-job-mechanism.md."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from vcbox import process
from vcbox.hands import Hands
from vcbox.load import Bench

EVIDENCE_MAX = 8000
GRAFANA_PORT = 3000
Raw = dict[str, Any]
Profile = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """A verdict with what was found, what was expected and from where, and what to do next."""

    verdict: str
    value: str | int | float | bool | None = None
    unit: str | None = None
    threshold: str | None = None
    source: str | None = None
    reason: str | None = None
    next: str | None = None
    evidence: str | None = None


def judged(good: bool, value: Any, threshold: str, next: str, **more: Any) -> Result:
    """pass or fail; the next action belongs to the fail."""
    return Result("pass" if good else "fail", value, threshold=threshold, next=None if good else next, **more)


def not_run(reason: str, next: str | None = None, **more: Any) -> Result:
    return Result("not_run", reason=reason, next=next, **more)


def not_supported(reason: str, **more: Any) -> Result:
    return Result("not_supported", reason=reason, **more)


def error(reason: str, next: str | None = None, **more: Any) -> Result:
    return Result("error", reason=reason, next=next, **more)


@dataclass
class Look:
    """
    The eyes of the checks: commands and files of the box, each read once a job so that checks agree on what was there. `hands` is
    for those few that try something; None where a person runs checks without a job. `bench` is for those that put the GPUs under load, with
    what the profile says of how; None where nothing may run there. `soak_seconds`: how long a soak lasts where a person says so.
    """

    job: str = ""
    admin: str = "vaultadmin"
    seen: dict[tuple[str, ...], Raw] = field(default_factory=dict)
    hands: Hands | None = None
    bench: Bench | None = None
    profile: Profile = field(default_factory=dict)
    soak_seconds: float | None = None
    # Where the box's files lie; another folder where a recorded tree is looked at.
    root: str = "/"
    made: dict[str, Any] = field(default_factory=dict)

    def again(self) -> "Look":
        """The same eyes without what they saw: for what may have changed since."""
        return replace(self, seen={}, made={})

    def command(self, *argv: str, timeout: float = 30.0) -> Raw:
        """`{status, out, err, seconds, at}`; status 127 when the program is not there, 124 when it did not answer in time."""
        if argv not in self.seen:
            start = time.monotonic()
            status, out, err = self.run(argv, timeout)
            seconds = round(time.monotonic() - start, 3)
            self.seen[argv] = {
                "status": status,
                "out": out,
                "err": err,
                "seconds": seconds,
                "at": time.time(),
            }
        return self.seen[argv]

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` returns, made by the first check that asks; nobody may change it."""
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]

    def run(self, argv: tuple[str, ...], timeout: float) -> tuple[int, str, str]:
        return process.capture(argv, timeout, {"LC_ALL": "C.UTF-8"})

    def path(self, path: str) -> Path:
        """`path`, an absolute one, below the root."""
        return Path(self.root, path.lstrip("/"))

    def read(self, path: str) -> str | None:
        try:
            return self.path(path).read_text(errors="replace")
        except OSError:
            return None

    def bytes(self, path: str, most: int = 4096) -> bytes | None:
        try:
            with self.path(path).open("rb") as file:
                return file.read(most)
        except OSError:
            return None

    def names(self, folder: str) -> list[str]:
        """What is in a folder, sorted; empty where it cannot be read."""
        try:
            return sorted(os.listdir(self.path(folder)))
        except OSError:
            return []


def said(raw: Raw) -> str:
    """What a command printed, for people: its error if it failed."""
    return (raw["err"].strip() or raw["out"].strip() or f"exit status {raw['status']}")[:500]


def box_value(profile: Profile, name: str) -> Any:
    """What the box is to be, where the job says so; the product's own values else."""
    defaults = {
        "adminUser": "vaultadmin",
        "adminUid": 1000,
        "sshPort": 22,
        "banMaxRetry": 5,
        "banSeconds": 600,
        "grafana": False,
        "forwardingClosed": True,
    }
    return (profile.get("box") or {}).get(name, defaults[name])


def distribution(look_os: str | None, profile: Profile) -> dict[str, Any] | None:
    """The profile's entry for the distribution in this os-release text, or None."""
    from vcbox.parsers.system import parse_os_release

    found = parse_os_release(look_os or "")
    for entry in profile.get("distributions") or []:
        if entry.get("id") == found.get("ID") and entry.get("version") == found.get("VERSION_ID"):
            return entry
    return None


def run_check(module: ModuleType, look: Look, profile: Profile) -> dict[str, Any]:
    """Gathers, judges, and never raises: what goes wrong here is an `error`, not a fail of the box."""
    start = time.monotonic()
    try:
        result = module.judge(module.gather(look), profile)
    except Exception as e:
        text = f"the check itself failed: {type(e).__name__}: {e}"
        result = error(text[:500], "Run the check again; if it stays, report it with the job's log.")
    evidence = result.evidence
    return {
        "id": module.ID,
        "title": module.TITLE,
        "layer": getattr(module, "LAYER", None),
        "suite": getattr(module, "SUITE", None),
        "verdict": result.verdict,
        "value": result.value,
        "unit": result.unit,
        "threshold": result.threshold,
        "source": result.source,
        "reason": result.reason,
        "nextAction": result.next,
        "evidence": evidence[:EVIDENCE_MAX] if evidence else None,
        "seconds": round(time.monotonic() - start, 3),
    }


def same_setting(values: Sequence[str], want: str) -> bool:
    return [v.lower() for v in values] == [want.lower()]
