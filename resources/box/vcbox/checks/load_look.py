"""What the checks of the load suites share: whether load may run, what the profile says of it, and floors. Not a check itself."""

import os
import pwd
from collections.abc import Callable
from typing import Any

from vcbox import load
from vcbox.checks import frameworks_look, gpu_look
from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, not_run, not_supported

SILENCE = (
    180.0,
    "a GPU that works finishes a part of any of these programs within seconds; starting takes most",
)
NOTHING_SAID = "the profile says nothing of load"
# Nothing is fetched or reported from the box.
QUIET = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}


def part(profile: Profile, *path: str) -> Any:
    """What the profile's `load` has there; None where it has nothing."""
    found: Any = profile.get("load")
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def setting(profile: Profile, *path: str, default: Any = None) -> Any:
    """A setting's value; the default where the profile names none."""
    value, _ = gpu_look.threshold(part(profile, *path), "value")
    return default if value is None else value


def floor(profile: Profile, *path: str) -> tuple[float | None, str | None]:
    """A least value and its source; None where nobody has named one."""
    return gpu_look.threshold(part(profile, *path), "min")


def settings(profile: Profile, name: str, *keys: str) -> dict[str, Any]:
    """Those of a part that the profile names, for a program's parameters."""
    return {key: value for key in keys if (value := setting(profile, name, key)) is not None}


def refused(look: Look) -> str | None:
    """Why no load may be put on this box now; None where it may."""
    if look.bench is None:
        return "load runs in a job, or by a vault-cube-test command"
    return look.bench.refused


def watchdog(profile: Profile) -> tuple[float, str]:
    found = part(profile, "silenceSeconds")
    if not isinstance(found, dict):
        return SILENCE
    return float(found["max"]), str(found["source"])


def python_of(profile: Profile, environment: str) -> str:
    """The profile's interpreter, of a machine that has the framework from elsewhere; that of layer 4's environment else."""
    own = setting(profile, "python", environment)
    return str(own or frameworks_look.ROOT / environment / "bin" / "python")


def program(
    look: Look,
    environment: str,
    name: str,
    argument: str,
    *,
    ranks: int | None = None,
    gpus: int | None = None,
) -> load.Program:
    """A program of vcload in an environment of layer 4, as the administrator; under torchrun with `ranks`; `gpus`: the first so many alone."""
    argv = [python_of(look.profile, environment), "-I", "-B"]
    if ranks is not None:
        argv += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks)]
    env = {**QUIET, **{k: str(v) for k, v in (setting(look.profile, "environment") or {}).items()}}
    if gpus is not None:
        env["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, range(gpus)))
    if ranks is not None:
        env["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // ranks // 2))
    return load.Program([*argv, load.script(name), argument], watchdog(look.profile), env, user_of(look))


def user_of(look: Look) -> str | None:
    """The administrator; None, for whoever runs the checks, on a machine that has none."""
    try:
        pwd.getpwnam(look.admin)
    except KeyError:
        return None
    return look.admin


def gather(look: Look, key: str, run: Callable[[int], Raw], *, load: bool = True) -> Raw:
    """
    What `run(number of GPUs)` gathers, once a job: `{refused, smi, ran, …}`. Nothing is run where no GPU is there or, for what puts load on
    the box, where that is refused or the profile says nothing of it.
    """
    place = ("load", key)
    if place not in look.seen:
        smi = gpu_look.gather(look)
        why = refused(look) if load else None
        if load and why is None and part(look.profile) is None:
            why = NOTHING_SAID
        found = {} if why or gpu_look.blocked(smi) else run(len(smi["query"]["gpus"]))
        look.seen[place] = {"refused": why, "smi": smi, "ran": bool(found), **found}
    return look.seen[place]


def stop(raw: Raw) -> Result | None:
    """The verdict of a check where nothing was run; None where something was."""
    if found := gpu_look.blocked(raw["smi"]):
        return found
    if raw["refused"] == NOTHING_SAID:
        return not_supported(raw["refused"])
    if raw["refused"]:
        return not_run(raw["refused"], "Run the suite again and agree to the load.")
    return None


def evidence(run: Raw, *whats: str) -> str:
    """The records a check rests on, then what the program said beside them."""
    lines = [
        str({k: v for k, v in r.items() if k != "mono"})
        for r in run["records"]
        if not whats or r["at"] in whats
    ]
    return "\n".join([*lines[-60:], run["why"] or "", run["text"][-3000:]]).strip()


def records(run: Raw, at: str, **having: Any) -> list[dict[str, Any]]:
    return [r for r in run["records"] if r["at"] == at and all(r.get(k) == v for k, v in having.items())]


def broken(run: Raw, what: str, advice: str) -> Result:
    """not_run where the program did not come so far; its end is another check's verdict."""
    if run["why"] is None:
        return error(f"the program told nothing of {what}", advice, evidence=evidence(run))
    return not_run(f"it did not come to {what}: {run['why']}"[:400], advice, evidence=evidence(run))


def at_least(
    value: float,
    least: tuple[float | None, str | None],
    unit: str,
    advice: str,
    *,
    right: str | None = None,
    **more: Any,
) -> Result:
    """By its floor; without one by `right` alone, which names what was proven besides."""
    limit, source = least
    if limit is None:
        if right is None:
            return Result(
                "not_supported",
                value,
                unit,
                reason="nobody has named a least value for this machine type",
                **more,
            )
        return judged(True, value, right, advice, unit=unit, **more)
    want = f"{limit:g} {unit} or more" + (f", {right}" if right else "")
    return judged(value >= limit, value, want, advice, unit=unit, source=source, **more)
