"""NCCL sums 1 GiB over all GPUs: every number right, at this bus bandwidth."""

from vcbox.checks import allreduce_look, ddp_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t2_allreduce", "All-reduce over NCCL", ddp_look.SUITE, 4
gather = ddp_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := ddp_look.stop(raw):
        return stop
    run = ddp_look.whole(raw)
    return ddp_look.before(raw) if run is None else allreduce_look.judge(run, raw["gpus"], profile)
