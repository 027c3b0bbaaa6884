"""All GPUs were under load for as long as was wanted, in one piece."""

from vcbox.checks import load_look, soak_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE, NEEDS = "t7_length", "The soak ran to its end", soak_look.SUITE, 4
gather = soak_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := soak_look.stop(raw):
        return stop
    run, wanted, got = raw["run"], raw["wanted"], soak_look.length(raw)
    want = f"{soak_look.in_hours(wanted)} on all {raw['gpus']} GPUs"
    value = soak_look.in_hours(got)
    text = load_look.evidence(run, "failed", "measured", "card")
    failed = load_look.records(run, "failed")
    if failed or run["why"]:
        what = f"GPU {failed[0]['gpu']}: {failed[0]['why']}" if failed else run["why"]
        return judged(False, f"{value}, then {what}"[:500], want, soak_look.ADVICE, evidence=text)
    idle = [gpu for gpu in range(raw["gpus"]) if not soak_look.total(raw, "rounds", gpu)]
    if idle:
        value = f"no load on GPU {', '.join(map(str, idle))}"
        return judged(False, value, want, soak_look.ADVICE, evidence=text)
    # A second is what telling takes.
    good = got >= wanted - 1
    if good and len(raw["parts"]) > 1:
        parts = " and ".join(soak_look.in_hours(part["seconds"]) for part in raw["parts"])
        return Result(
            "warn",
            f"{value} in {len(raw['parts'])} parts: {parts}",
            threshold=want,
            next="Run it again in one piece where that is asked for.",
            evidence=text,
        )
    return judged(good, value, want, soak_look.ADVICE, evidence=text)
