"""Every matrix product and every word of memory was the same as before, over the whole soak."""

from vcbox.checks import load_look, soak_look
from vcbox.checks.base import Profile, Raw, Result, judged, not_run

ID, TITLE, SUITE, NEEDS = "t7_results", "No silent errors", soak_look.SUITE, 4
gather = soak_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := soak_look.stop(raw):
        return stop
    want = "no product and no word wrong"
    lines, wrong = [], []
    for gpu in range(raw["gpus"]):
        n = {name: soak_look.total(raw, name, gpu) for name in soak_look.COUNTS}
        lines.append(
            f"GPU {gpu}: {n['products']} products, {n['wrongProducts']} wrong; {n['checkedMiB']} MiB, {n['wrongWords']} words wrong"
        )
        if n["wrongProducts"] or n["wrongWords"]:
            wrong.append(f"GPU {gpu}: {n['wrongProducts']} products and {n['wrongWords']} words wrong")
    text = "\n".join([*lines, load_look.evidence(raw["run"], "failed")])
    advice = "The card computes or remembers wrongly without telling the driver: cool it, reseat it, run again; if it stays, RMA."
    if wrong:
        return judged(False, "; ".join(wrong), want, advice, evidence=text)
    idle = [gpu for gpu in range(raw["gpus"]) if not soak_look.total(raw, "products", gpu)]
    if idle:
        return not_run(
            f"GPU {', '.join(map(str, idle))} computed nothing: {raw['run']['why'] or 'it told nothing'}"[
                :400
            ],
            soak_look.ADVICE,
            evidence=text,
        )
    products = sum(soak_look.total(raw, "products", gpu) for gpu in range(raw["gpus"]))
    found = judged(True, f"{products} products compared, none wrong", want, advice, evidence=text)
    return soak_look.whole(raw, found)
