"""One file a kind of job. Each has `run(ctx) -> dict | None`: the counts for `finished`; it raises JobFailed to fail."""

KINDS = ("selftest", "fetch", "bootstrap", "ansible", "harden", "checks", "drift", "uid_swap", "flash_box")

# A job kind and the module that does it, where the names differ.
MODULES = {"layer": "ansible"}


def module_of(kind: str) -> str | None:
    """The module name for a job kind, or None for a kind this runner does not know."""
    if kind == "ansible":
        return None
    name = MODULES.get(kind, kind)
    return name if name in KINDS else None
