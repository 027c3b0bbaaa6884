"""Whether a service would start with the configuration that lies there, asked of its own program. Not a check itself."""

from vcbox.checks.base import Look, Raw, Result, error, judged, said


def judge(raw: Raw, want: str, next: str) -> Result:
    """Its program ends with 0 for a configuration that it takes."""
    if raw["status"] in (124, 127):
        return error(said(raw), next)
    good = raw["status"] == 0
    return judged(
        good, "valid" if good else said(raw), want, next, evidence=(raw["out"] + raw["err"]).strip() or None
    )


def first_bad(look: Look, *commands: tuple[str, ...]) -> Raw:
    """The first of these commands that ends with another status than 0, else the last one."""
    raws = [look.command(*argv, timeout=60) for argv in commands]
    return next((raw for raw in raws if raw["status"]), raws[-1])
