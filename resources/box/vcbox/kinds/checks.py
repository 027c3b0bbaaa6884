"""Kind `checks`: a list of checks, one after another, with telemetry beside it if asked."""

from contextlib import nullcontext
from types import ModuleType, SimpleNamespace
from typing import Any

from vcbox import checks, power
from vcbox.checks import gpu_look
from vcbox.checks.base import Look, box_value, not_run, run_check
from vcbox.context import Context, JobFailed
from vcbox.hands import Hands
from vcbox.kernelwatch import KernelWatch
from vcbox.load import Bench
from vcbox.telemetry import Telemetry


def planned(ids: list[str], layers: list[int] | None) -> list[str]:
    """Those of a suite that concern the layers of this box; all of them where the job names no layers."""
    of = {i: checks.layer_of(module) if (module := checks.load(i)) else None for i in ids}
    return [i for i in ids if layers is None or of[i] is None or of[i] in layers]


def absent(module: ModuleType, installed: list[int] | None) -> Any:
    """The check where its layer is there; in its place one that says that it is not."""
    layer = checks.layer_of(module)
    if installed is None or layer is None or layer in installed:
        return module
    reason = f"layer {layer} was not installed on this box"
    told = not_run(reason, f"Run layer {layer}, then the suite again.")
    return SimpleNamespace(**{**vars(module), "gather": lambda _: {}, "judge": lambda *_: told})


def refused(params: dict[str, Any]) -> str | None:
    """Why the job may put no load on this box; None where an engineer agreed to so many watts for so long (docs/adr/0015-load-suites.md)."""
    agreed = params.get("consent")
    if isinstance(agreed, dict) and agreed.get("watts") and agreed.get("seconds"):
        return None
    return "nobody agreed to the load that this suite puts on the box"


def run(ctx: Context) -> dict[str, int]:
    """
    params: `{suite, checks, profile, telemetry: {hz} or null, expect?, layers?, installed?, consent?, powerLimit?, seconds?}` and what single
    checks of a suite are given (docs/adr/0008-layers.md). `powerLimit`: `{watts, full}` of each card while the job runs. An empty list means the whole suite or layer. `consent`: `{watts, seconds, at}`; without it
    nothing puts load on the GPUs. `seconds`: of the soak.
    """
    params = ctx.params
    limit = params.get("powerLimit")
    profile = power.held_to(dict(params.get("profile") or {}), limit)
    if params.get("expect"):
        profile["box"] = params["expect"]
    ids = params.get("checks") or planned(checks.listed(params.get("suite")), params.get("layers"))
    if not ids:
        raise JobFailed(
            "spec_invalid", f"this runner knows no suite {params.get('suite')!r}, and no checks are named"
        )
    unknown = [i for i in ids if not isinstance(i, str) or checks.load(i) is None]
    if unknown:
        raise JobFailed("unknown_check", f"this runner knows no check {', '.join(map(str, unknown))}")
    counts = {"ok": 0, "changed": 0, "failed": 0, "skipped": 0}
    telemetry = params.get("telemetry")
    hands = Hands(ctx)
    watched = Telemetry(ctx, float(telemetry.get("hz", 1))) if telemetry else None
    look = Look(
        job=ctx.spec["job"],
        admin=str(box_value(profile, "adminUser")),
        hands=hands,
        bench=Bench(ctx, watched, refused(params)),
        profile=profile,
        soak_seconds=float(params["seconds"]) if params.get("seconds") else None,
    )
    fatal, _ = gpu_look.threshold(gpu_look.gpu_profile(profile).get("fatalXids"), "value")
    kernel = KernelWatch(ctx, fatal) if watched else None
    with power.lowered(ctx, limit), watched or nullcontext(), kernel or nullcontext():
        for number, id in enumerate(ids, 1):
            module = checks.load(id)
            assert module
            with ctx.step(id, module.TITLE):
                result = run_check(absent(module, params.get("installed")), look, profile)
                # A command that a cancel killed says nothing about the box.
                ctx.check_cancelled()
                ctx.log.emit("check", check=result)
            ctx.progress("checks", number, len(ids), "events")
            verdict = result["verdict"]
            counts[
                "ok"
                if verdict in ("pass", "warn")
                else "failed"
                if verdict in ("fail", "error")
                else "skipped"
            ] += 1
        settle = float((telemetry or {}).get("seconds", 0))
        if settle > 0:
            with ctx.step("observe", f"Watch the GPUs for {settle:g} s", nominal=settle):
                ctx.sleep(min(settle, 3600))
    return {**counts, "changed": hands.changed}
