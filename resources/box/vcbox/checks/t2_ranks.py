"""Every rank of every run began, had a card of its own, and came to its end."""

import re

from vcbox.checks import ddp_look, load_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE, NEEDS = "t2_ranks", "Every rank stays to the end", ddp_look.SUITE, 4
gather = ddp_look.gather


# torchrun names the rank that went first; it ends all the others then.
FIRST = re.compile(r"exitcode: (-?\d+)\) local_rank: (\d+)")


def wrong(n: int, run: Raw) -> str | None:
    """What is wrong with the ranks of a run on n GPUs; None where nothing is."""
    began = [r["rank"] for r in load_look.records(run, "rank")]
    ended = [r["rank"] for r in load_look.records(run, "done")]
    cards = [r["uuid"] for r in load_look.records(run, "rank") if r.get("uuid")]
    if sorted(began) == sorted(ended) == list(range(n)) and not run["why"]:
        return "ranks share a card" if len(set(cards)) != len(cards) else None
    first = FIRST.search(run["text"])
    gone = [int(first[2])] if first else [r for r in range(n) if r not in ended]
    lost = ", ".join(f"rank {r}" for r in gone)
    why = run["why"] or "it told no end"
    never = [f"rank {r}" for r in range(n) if r not in began]
    return f"{lost or 'a rank'} of {n} vanished ({', '.join(never) + ' never began; ' if never else ''}{why})"


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := ddp_look.stop(raw):
        return stop
    want = "each begins on a card of its own and ends"
    for n, run in raw["runs"].items():
        if text := wrong(int(n), run):
            advice = "Look at the kernel log for Xid at that time; run suite T1, then this one again."
            told = load_look.evidence(run, "rank", "done")
            return judged(False, f"on {n} GPUs: {text}"[:600], want, advice, evidence=told)
    return judged(True, f"all ranks on {', '.join(raw['runs'])} GPUs", want, ddp_look.ADVICE)
