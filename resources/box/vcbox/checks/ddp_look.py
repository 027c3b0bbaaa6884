"""ResNet-50 under DDP on 1, 2, 4 … all GPUs, run once a job for the checks of T2 and for T6's scaling. Not a check itself."""

import json
from typing import Any

from vcbox.checks import load_look, window_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_run

SUITE = "pytorch-ddp"
ADVICE = "Look at the evidence; run layer 4's health check, then the suite again."
KEYS = ("batch", "precision", "imageSize", "warmupSteps", "seconds", "allreduceMiB")


def sizes(gpus: int) -> list[int]:
    """1, 2, 4 … and all of them."""
    found = [2**i for i in range(gpus.bit_length()) if 2**i < gpus]
    return [*found, gpus]


def gather(look: Look) -> Raw:
    """`{refused, smi, gpus, runs: {"1": a run of load.py, …}}`; no run after one that failed."""

    def run(gpus: int) -> Raw:
        assert look.bench
        argument = json.dumps(load_look.settings(look.profile, "ddp", *KEYS))
        runs: dict[str, Raw] = {}
        for n in sizes(gpus):
            program = load_look.program(look, "torch", "ddp_resnet50", argument, ranks=n, gpus=n)
            runs[str(n)] = look.bench.run(program)
            if runs[str(n)]["why"]:
                break
        return {"gpus": gpus, "runs": runs}

    return load_look.gather(look, "ddp", run)


def whole(raw: Raw) -> Raw | None:
    """The run on all GPUs; None where it was not come to."""
    return raw["runs"].get(str(raw["gpus"]))


def stop(raw: Raw) -> Result | None:
    """The verdict where nothing was run, or where it ran on no GPU."""
    if found := load_look.stop(raw):
        return found
    for run in raw["runs"].values():
        for rank in load_look.records(run, "rank"):
            if rank.get("backend") != "nccl":
                return not_run(
                    f"it ran with {rank.get('backend')} and on no GPU, which shows nothing of this machine"
                )
    return None


def first_failure(raw: Raw) -> tuple[str, Raw] | None:
    return next(((n, run) for n, run in raw["runs"].items() if run["why"]), None)


def before(raw: Raw) -> Result:
    """not_run of a check that needs the run on all GPUs, where one before it failed."""
    failure = first_failure(raw)
    assert failure
    n, run = failure
    return not_run(
        f"the run on {n} of {raw['gpus']} GPUs failed: {run['why']}"[:400],
        "See the check of the ranks.",
        evidence=load_look.evidence(run),
    )


def speeds(raw: Raw) -> dict[int, float]:
    """Images a second by the number of GPUs, of runs that told it."""
    found = {}
    for n, run in raw["runs"].items():
        for told in load_look.records(run, "measured", what="train"):
            found[int(n)] = float(told["imagesPerSecond"])
    return found


def trained_on(raw: Raw) -> str:
    """How it was trained, as part of every number of it."""
    told: list[dict[str, Any]] = [
        r for run in raw["runs"].values() for r in load_look.records(run, "measured", what="train")
    ]
    if not told:
        return ""
    one = told[-1]
    return f"{one['model']}, batch {one['batch']} a GPU, {one['precision']}, {one['imageSize']} px, data {one['data']}"


def efficiency(raw: Raw, profile: Profile) -> Result:
    """images/s on all GPUs over that many times one GPU's."""
    if found := stop(raw):
        return found
    gpus = raw["gpus"]
    if gpus == 1:
        return Result("not_supported", reason="there is one GPU: nothing to scale over")
    got = speeds(raw)
    if gpus not in got or 1 not in got:
        if first_failure(raw):
            return before(raw)
        return load_look.broken(raw["runs"]["1" if 1 not in got else str(gpus)], "images/s", ADVICE)
    value = round(100 * got[gpus] / (gpus * got[1]), 1)
    limit, source = load_look.floor(profile, "ddp", "scalingPercent")
    lines = [
        f"{n} GPU: {speed} images/s, {100 * speed / (n * got[1]):.1f} %" for n, speed in sorted(got.items())
    ]
    advice = (
        "Compare each card's clocks and link under load; without peer access a smaller batch scales worse."
    )
    if limit is None:
        return load_look.at_least(value, (None, None), "%", advice)
    good = value > limit
    text = "\n".join([trained_on(raw), *lines])
    return judged(good, value, f"more than {limit:g} %", advice, unit="%", source=source, evidence=text)


def ruled(rule: str, raw: Raw, profile: Profile) -> Result:
    """A rule on the telemetry of the measured window on all GPUs."""
    if found := stop(raw):
        return found
    run = whole(raw)
    if run is None:
        return before(raw)
    window = run["windows"].get(f"ddp-{raw['gpus']}")
    return window_look.judge(rule, window, run["fields"], profile, raw["gpus"])
