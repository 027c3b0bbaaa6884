"""Kind `layer`: one ansible-playbook run, then nothing else."""

from vcbox import playbook
from vcbox.context import Context


def run(ctx: Context) -> dict[str, int]:
    """params: `{layer, playbook, tags, vars}`. Counts are Ansible's."""
    playbook.prepare(ctx)
    layer = ctx.params.get("layer")
    with ctx.step(f"l{layer}", f"Layer {layer}", watchdog=playbook.WATCHDOG):
        return playbook.run(ctx)
