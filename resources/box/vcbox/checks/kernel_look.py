"""The lines of the kernel log that are about GPUs and PCIe errors, since the boot. Not a check itself."""

from vcbox.checks import gpu_look
from vcbox.checks.base import Look, Raw, Result, not_run
from vcbox.parsers.kernel_log import relevant


def gather(look: Look) -> Raw:
    return look.once("kernel log", lambda: _gather(look))


def _gather(look: Look) -> Raw:
    """What nvidia-smi tells, and `log`: None with the reason in `logWhy` where the log cannot be read."""
    journal = look.command("journalctl", "-k", "-b", "--no-pager", "-q", timeout=60)
    kernel = journal if journal["status"] == 0 and journal["out"].strip() else look.command("dmesg")
    log = kernel["out"] if kernel["status"] == 0 and kernel["out"].strip() else None
    why = None if log else (kernel["err"].strip() or "it is empty")
    return {**gpu_look.gather(look), "log": relevant(log) if log else None, "logWhy": why}


def unread(raw: Raw) -> Result | None:
    if raw["log"] is None:
        return not_run(f"the kernel log cannot be read: {raw['logWhy']}", "Run as root on the box itself.")
    return None
