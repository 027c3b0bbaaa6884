"""DistributedDataParallel comes up: a process a GPU, joined by NCCL, on all GPUs that the profile names."""

from vcbox.checks import ddp_look, gpu_look, load_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE, NEEDS = "t2_initialize", "DDP starts on all GPUs", ddp_look.SUITE, 4
gather = ddp_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := ddp_look.stop(raw):
        return stop
    count, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("count"), "value")
    run = ddp_look.whole(raw)
    if run is None:
        return ddp_look.before(raw)
    gpus = raw["gpus"]
    want = f"NCCL with a process on each of {count or gpus} GPUs"
    up = load_look.records(run, "initialized")
    told = load_look.evidence(run, "rank", "initialized")
    if len(up) < gpus:
        value = f"{len(up)} of {gpus} processes: {run['why'] or 'the others told nothing'}"[:400]
        return judged(False, value, want, ddp_look.ADVICE, source=source, evidence=told)
    advice = "A card is missing: see suite T1."
    return judged(
        count in (None, gpus), f"{gpus} processes with NCCL", want, advice, source=source, evidence=told
    )
