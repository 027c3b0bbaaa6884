"""Patterns over most of each card's free memory come back as they were written."""

from vcbox.checks import bench_look, load_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE, NEEDS = "t6_vram", "Memory test", bench_look.SUITE, 4
gather = bench_look.gather_vram


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := load_look.stop(raw):
        return stop
    told = load_look.records(raw["run"], "measured", what="vram")
    want = "no word wrong"
    advice = "Bad memory: look at ECC and row remapping, run again after a reboot; if it stays, RMA."
    text = "\n".join(
        [*(f"GPU {t['gpu']}: {line}" for t in told for line in t["first"]), load_look.evidence(raw["run"])]
    )
    wrong = [t for t in told if t["wrong"]]
    if wrong:
        value = ", ".join(f"GPU {t['gpu']}: {t['wrong']} words wrong" for t in wrong)
        return judged(False, value, want, advice, evidence=text)
    if len(told) < raw["gpus"]:
        return load_look.broken(raw["run"], f"the test of all {raw['gpus']} GPUs", bench_look.ADVICE)
    part = min(t["testedMiB"] / t["freeMiB"] for t in told)
    value = (
        ", ".join(f"GPU {t['gpu']} {t['testedMiB']} MiB" for t in told)
        + f": {told[0]['patterns']} patterns, none wrong"
    )
    return judged(part > 0.5, value, f"{want}, over half of the free memory", advice, evidence=text)
