"""Several checks as one: the worst of them decides, and is named. Not a check itself."""

from collections.abc import Sequence

from vcbox import checks
from vcbox.checks.base import Look, Profile, Raw, Result

WORST = ("fail", "error", "not_run", "not_supported", "warn", "pass")


def gather(look: Look, ids: Sequence[str]) -> Raw:
    raw = {}
    for id in ids:
        module = checks.load(id)
        assert module
        raw[id] = module.gather(look)
    return raw


def judge(raw: Raw, profile: Profile) -> Result:
    """`raw`: what each check gathered, by its id. A value for each; verdict, reason and next action are the worst one's."""
    results: list[tuple[str, Result]] = []
    for id, gathered in raw.items():
        module = checks.load(id)
        assert module
        results.append((module.TITLE, module.judge(gathered, profile)))
    title, worst = min(results, key=lambda pair: WORST.index(pair[1].verdict))
    lines = [f"{name}: {r.verdict.replace('_', ' ')}, {r.value or r.reason}" for name, r in results]
    if worst.verdict == "pass":
        return Result("pass", "; ".join(str(r.value) for _, r in results)[:500], evidence="\n".join(lines))
    return Result(
        worst.verdict,
        None if worst.value is None else f"{title}: {worst.value}",
        threshold=worst.threshold,
        source=worst.source,
        reason=f"{title}: {worst.reason}" if worst.reason else None,
        next=worst.next,
        evidence="\n".join(lines),
    )
