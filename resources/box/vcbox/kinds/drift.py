"""What layers would change on the box now: Ansible's check mode, which changes nothing. Each task that would is an event."""

from vcbox import apt, playbook
from vcbox.context import Context, JobFailed


def run(ctx: Context) -> dict[str, int]:
    """
    params: `{playbook, tags, vars}`; `changed` of the counts is how many tasks found the box otherwise than they leave it. A task
    that refuses to go on tells of a difference, too, and what it stops must not hide what health checks and other layers find.
    """
    if not apt.foreseeable(ctx.paths):
        raise JobFailed(
            "not_foreseeable",
            "The packages of the site bundle are not on the box, so what would change cannot be foreseen.",
        )
    with ctx.step("apt-lock", "Wait for apt"):
        apt.wait_for_lock(ctx)
    with ctx.step("compare", "Compare the box with its layers"):
        try:
            return playbook.run(ctx, check=True)
        except JobFailed as failed:
            if not (failed.counts or {}).get("failed"):
                raise
            return failed.counts or {}
