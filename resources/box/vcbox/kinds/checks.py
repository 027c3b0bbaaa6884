"""Kind `checks`: a list of checks, one after another, with telemetry beside it if asked."""

from contextlib import nullcontext

from vcbox import checks
from vcbox.checks.base import Look, box_value, run_check
from vcbox.context import Context, JobFailed
from vcbox.telemetry import Telemetry


def run(ctx: Context) -> dict[str, int]:
    """params: `{suite, checks, profile, telemetry: {hz} or null, expect?}`. An empty list means the whole suite or layer."""
    params = ctx.params
    profile = dict(params.get("profile") or {})
    if params.get("expect"):
        profile["box"] = params["expect"]
    ids = params.get("checks") or checks.listed(params.get("suite"))
    if not ids:
        raise JobFailed(
            "spec_invalid", f"this runner knows no suite {params.get('suite')!r}, and no checks are named"
        )
    unknown = [i for i in ids if not isinstance(i, str) or checks.load(i) is None]
    if unknown:
        raise JobFailed("unknown_check", f"this runner knows no check {', '.join(map(str, unknown))}")
    counts = {"ok": 0, "changed": 0, "failed": 0, "skipped": 0}
    telemetry = params.get("telemetry")
    look = Look(job=ctx.spec["job"], admin=str(box_value(profile, "adminUser")))
    with Telemetry(ctx, float(telemetry.get("hz", 1))) if telemetry else nullcontext():
        for number, id in enumerate(ids, 1):
            module = checks.load(id)
            assert module
            with ctx.step(id, module.TITLE):
                result = run_check(module, look, profile)
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
    return counts
