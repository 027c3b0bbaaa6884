"""The loss of every step on every rank was a number, and fell while the network learnt its data by heart."""

from vcbox.checks import ddp_look, load_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE, NEEDS = "t2_loss", "The loss is a number and falls", ddp_look.SUITE, 4
gather = ddp_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := ddp_look.stop(raw):
        return stop
    run = ddp_look.whole(raw)
    trained = [(n, r) for n, one in raw["runs"].items() for r in load_look.records(one, "trained")]
    want = "a finite number on every rank, falling"
    advice = (
        "Numbers that are none come from a card that computes wrongly: run suites T6 and T7 on it, then RMA."
    )
    text = "\n".join(
        f"{n} GPUs, rank {r['rank']}: {r['first']} to {r['last']} in {r['steps']} steps" for n, r in trained
    )
    for n, r in trained:
        if not r["finite"]:
            value = f"NaN or infinite on rank {r['rank']} of {n}"
            return judged(False, value, want, advice, evidence=text)
    if run is None:
        return ddp_look.before(raw)
    if len(load_look.records(run, "trained")) < raw["gpus"]:
        return load_look.broken(run, "the loss of every rank", ddp_look.ADVICE)
    rose = [f"rank {r['rank']} of {n}" for n, r in trained if not float(r["last"]) < float(r["first"])]
    last = f"{trained[-1][1]['first']} to {trained[-1][1]['last']}"
    if rose:
        return Result(
            "warn",
            f"{last}; it did not fall on {', '.join(rose)}",
            threshold=want,
            next="Run the suite again; if it stays, compare the cards' results in suite T7.",
            evidence=text,
        )
    return judged(True, last, want, advice, evidence=text)
