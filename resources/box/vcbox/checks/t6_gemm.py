"""The third of the four benchmarks: TFLOP/s of matrix products, each precision on each card, results checked."""

from vcbox.checks import bench_look, gpu_look, load_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE, NEEDS = "t6_gemm", "Matrix products by precision", bench_look.SUITE, 4
gather = bench_look.gather


ADVICE = "Compare clocks, power limit and throttle reasons of the slow card with the others under load."


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := load_look.stop(raw):
        return stop
    told = load_look.records(raw["run"], "measured", what="gemm")
    floors = load_look.part(profile, "bench", "tflops") or {}
    lines = [f"GPU {t['gpu']} {t['precision']} {t['tflops']:g} TFLOP/s" for t in told]
    lines += [
        f"GPU {t['gpu']} {t['precision']}: {t['why']}"
        for t in load_look.records(raw["run"], "absent", what="gemm")
    ]
    text = "\n".join(lines)
    wrong = [t for t in told if not t["right"]]
    if wrong:
        value = ", ".join(f"GPU {t['gpu']} {t['precision']}: off by {t['off']:.2g}" for t in wrong)
        advice = "The card computes wrongly: run suites T6 and T7 again, then RMA."
        return judged(False, value, "results right", advice, evidence=text)
    done = {(t["gpu"], t["precision"]) for t in told}
    missing = [f"GPU {gpu} {p}" for p in floors for gpu in range(raw["gpus"]) if (gpu, p) not in done]
    if missing or not told:
        what = f"matrix products ({', '.join(missing) or 'none'})"
        return load_look.broken(raw["run"], what, bench_look.ADVICE)
    slowest = {
        p: min(t["tflops"] for t in told if t["precision"] == p)
        for p in dict.fromkeys(t["precision"] for t in told)
    }
    value = ", ".join(f"{p} {n:g}" for p, n in slowest.items())
    least = {p: gpu_look.threshold(floor, "min") for p, floor in floors.items()}
    slow = [p for p, (limit, _) in least.items() if slowest[p] < limit]
    if not least:
        return judged(True, value, "results right", ADVICE, unit="TFLOP/s", evidence=text)
    want = ", ".join(f"{p} {limit:g}" for p, (limit, _) in least.items()) + " or more, results right"
    sources = "; ".join(dict.fromkeys(str(source) for _, source in least.values()))
    shown = f"too slow in {', '.join(slow)}: {value}" if slow else value
    return judged(not slow, shown, want, ADVICE, unit="TFLOP/s", source=sources, evidence=text)
