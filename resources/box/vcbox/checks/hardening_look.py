"""What the checks of layer 6 look at in common. Not a check itself."""

from vcbox.checks import driver_look
from vcbox.checks.base import Look, Raw, Result, not_supported, said

LAYER = 6
AGAIN = "Run layer 6 again."


def audit(look: Look, *words: str) -> Raw:
    """What auditctl says, and whether a container's lack of an audit system of its own explains it."""
    return {"told": look.command("/usr/sbin/auditctl", *words), "container": driver_look.in_container(look)}


def no_audit(raw: Raw) -> Result | None:
    """The verdict where a container has no audit system; None where there is something to judge."""
    told = raw["told"]
    if not raw["container"] or told["status"] in (0, 127):
        return None
    return not_supported(f"a container has no audit system of its own: {said(told)}"[:500])
