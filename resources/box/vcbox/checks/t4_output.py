"""The model continues known beginnings as it should, at temperature 0."""

from vcbox.checks import load_look, vllm_look
from vcbox.checks.base import Profile, Raw, Result, judged, not_run

ID, TITLE, SUITE, NEEDS = "t4_output", "The answers are right", vllm_look.SUITE, 4
gather = vllm_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := vllm_look.stop(raw):
        return stop
    if not raw["prompts"]:
        return not_run("neither profile nor model names beginnings and their continuations")
    found = load_look.records(raw["run"], "answer")
    if len(found) < raw["prompts"]:
        return load_look.broken(raw["run"], "all answers", vllm_look.ADVICE)
    wrong = [one for one in found if not one["right"]]
    text = "\n".join(
        f"{one['prompt']!r} → {one['text']!r} (wanted {' or '.join(one['expect'])})" for one in found
    )
    want = f"all of {len(found)} continuations"
    advice = "Compare with one GPU (tensor parallel 1): wrong words over several come from what is between them (suite T6, card to card)."
    if raw["weights"] == "random":
        return vllm_look.only(
            raw, judged(True, len(found) - len(wrong), want, advice, unit="right", evidence=text)
        )
    if wrong:
        value = f"{len(wrong)} of {len(found)} wrong: {wrong[0]['prompt']!r} → {wrong[0]['text'][:80]!r}"
        return judged(False, value[:400], want, advice, evidence=text)
    return judged(True, f"{len(found)} of {len(found)}", want, advice, evidence=text)
