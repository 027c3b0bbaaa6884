"""Access hardening with a way back: it stays only if a fresh key login confirms it."""

import time
from contextlib import suppress
from pathlib import Path

from vcbox import playbook, revert
from vcbox.context import Context, JobFailed
from vcbox.eventlog import LogFull

# The role takes seconds; past this the runner ends it and reverts, well before the first timer would.
RUN_SECONDS = 180.0
POLL_SECONDS = 0.1


def wait_for_follower(ctx: Context) -> None:
    if ctx.followed():
        return
    with ctx.waiting("link", "hardening starts only while the app is there to prove a new login"):
        while not ctx.followed():
            ctx.sleep(POLL_SECONDS)


def wait_for_confirm(ctx: Context, seconds: float) -> bool:
    """True when the app wrote `control/confirm` in time; False when not, or when the timer has reverted already."""
    deadline = time.monotonic() + seconds
    with ctx.waiting(
        "confirm", f"a new login with a key, within {seconds:.0f} s; everything is put back without it"
    ):
        while time.monotonic() < deadline and revert.armed(ctx.paths):
            if (ctx.control / "confirm").exists():
                return True
            ctx.sleep(POLL_SECONDS)
    return False


def take_back(ctx: Context, why: str) -> str:
    """Reverts now, or reports the revert that came first."""
    if ctx.cancelled():
        ctx.gone_event.wait(180)  # the supervisor would end the commands of the revert too
    with suppress(LogFull):
        ctx.log.note(f"taking back the hardening: {why}", ctx.step_id)
    done = revert.revert(ctx.paths, why)
    notes = (done or {}).get("notes") or []
    return "sshd and the firewall are as they were before." + (
        f" Not all went well: {'; '.join(notes)}" if notes else ""
    )


def run(ctx: Context) -> dict[str, int]:
    """params: `{playbook, tags, vars, confirmSeconds}`."""
    seconds = ctx.params.get("confirmSeconds", 120)
    if not isinstance(seconds, int | float) or not 5 <= seconds <= 3600:
        raise JobFailed("spec_invalid", f"confirmSeconds must be from 5 to 3600, not {seconds!r}")
    if not Path("/run/systemd/system").is_dir():
        raise JobFailed(
            "no_systemd", "The revert timer needs systemd as PID 1; hardening is refused without it."
        )
    if revert.armed(ctx.paths):
        take_back(ctx, "an earlier hardening was never confirmed")
    playbook.prepare(ctx)
    with ctx.step("link", "Wait for the app"):
        wait_for_follower(ctx)
    job, number = ctx.spec["job"], ctx.spec["attempt"]
    first, second = f"vault-revert-{job}-{number}", f"vault-revert-{job}-{number}-confirm"
    with ctx.step("arm", "Keep the present state and start the revert timer"):
        revert.snapshot(ctx.paths, job)
        revert.arm(ctx.box, ctx.paths, job, first, RUN_SECONDS + seconds)
    confirmed = False
    try:
        with ctx.step("harden", "Firewall, sshd, root", nominal=20):
            limit = (RUN_SECONDS, "the revert timer runs from the start of the step")
            counts = playbook.run(ctx, limit, deadline=RUN_SECONDS)
        with ctx.step("confirm", "A new login proves that the door is open"):
            # The full time counts from the end of the run: a second timer takes over before the first is stopped.
            revert.start_timer(ctx.box, ctx.paths, second, seconds)
            revert.stop_timer(first)
            confirmed = wait_for_confirm(ctx, seconds) and revert.confirm(ctx.paths)
            if not confirmed:
                why = take_back(ctx, f"no confirmed login within {seconds:.0f} s")
                raise JobFailed(
                    "hardening_not_confirmed",
                    f"No new login was confirmed within {seconds:.0f} s. {why}",
                    counts,
                )
    finally:
        if not confirmed and revert.armed(ctx.paths):
            take_back(ctx, "hardening did not come to its end")
        revert.stop_timer(first)
        revert.stop_timer(second)
    return counts
