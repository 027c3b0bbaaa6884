"""The OpenAI-compatible server starts with the model over all GPUs, answers, and ends."""

from vcbox.checks import load_look, vllm_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE, NEEDS = "t4_loads", "vLLM serves the model over all GPUs", vllm_look.SUITE, 4
gather = vllm_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := vllm_look.stop(raw):
        return stop
    run, model = raw["run"], raw["model"]
    want = "it is ready, answers all requests, and ends"
    text = load_look.evidence(run, "model", "ready", "measured", "answer")
    ready = load_look.records(run, "ready")
    if run["why"]:
        value = f"{model}: {run['why']}" if ready else f"{model} was never ready: {run['why']}"
        return judged(False, value[:500], want, vllm_look.ADVICE, evidence=text)
    lost = [f for r in load_look.records(run, "measured", what="tokens") for f in r["failed"]]
    if lost:
        return judged(
            False, f"{len(lost)} requests failed: {lost[0]}"[:500], want, vllm_look.ADVICE, evidence=text
        )
    value = f"{model} over {raw['gpus']} GPUs, ready after {ready[0]['seconds']:g} s"
    return vllm_look.only(raw, judged(True, value, want, vllm_look.ADVICE, evidence=text))
