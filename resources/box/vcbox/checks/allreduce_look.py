"""How a measured all-reduce is judged, wherever it was run. Not a check itself."""

from vcbox.checks import load_look
from vcbox.checks.base import Profile, Raw, Result, judged

ADVICE = "Look at peer access, ACS and IOMMU in preflight (vllm-project/vllm#51513), then at NVLink and PCIe links under load."
WANT = "every sum right"


def judge(run: Raw, gpus: int, profile: Profile) -> Result:
    if gpus == 1:
        return Result("not_supported", reason="there is one GPU: nothing to sum over")
    told = load_look.records(run, "measured", what="allreduce")
    if not told:
        return load_look.broken(run, "an all-reduce", ADVICE)
    one = told[-1]
    text = load_look.evidence(run, "measured", "rank")
    if one["wrong"]:
        return judged(False, f"{one['wrong']} wrong sums over {gpus} GPUs", WANT, ADVICE, evidence=text)
    least = load_look.floor(profile, "ddp", "allreduceBusGBps")
    return load_look.at_least(one["busGBps"], least, "GB/s", ADVICE, right=WANT, evidence=text)
