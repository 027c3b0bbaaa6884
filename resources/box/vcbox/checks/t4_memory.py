"""The most memory in use on each card, by telemetry while vLLM serves."""

from vcbox.checks import gpu_look, load_look, vllm_look, window_look
from vcbox.checks.base import Profile, Raw, Result, judged, not_run

ID, TITLE, SUITE, NEEDS = "t4_memory", "GPU memory while it serves", vllm_look.SUITE, 4
gather = vllm_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := vllm_look.stop(raw):
        return stop
    run = raw["run"]
    limit, source = gpu_look.threshold(load_look.part(profile, "vllm", "memoryMiB"), "max")
    rows = [row for w in run["windows"].values() if w["end"] is not None for row in w["rows"]]
    window = {"rows": rows}
    if not run["windows"]:
        return load_look.broken(run, "serving", vllm_look.ADVICE)
    if stop := window_look.untold(window):
        return stop
    used = window_look.column(window, run["fields"], "memory.used")
    silent = [str(gpu) for gpu in range(raw["gpus"]) if not used.get(gpu)]
    if silent:
        return not_run(f"telemetry tells no memory of GPU {', '.join(silent)}", window_look.AGAIN)
    peaks = {gpu: max(used[gpu]) for gpu in range(raw["gpus"])}
    text = ", ".join(f"GPU {gpu} {peak:g} MiB" for gpu, peak in peaks.items())
    if limit is None:
        return gpu_look.unnamed("most memory that vLLM may take")
    value = max(peaks.values())
    advice = "Lower the part of the memory that vLLM takes, or use a smaller model."
    found = judged(
        value < limit, value, f"below {limit:g} MiB on each", advice, unit="MiB", source=source, evidence=text
    )
    if run["why"] and found.verdict == "pass":
        return load_look.broken(run, "the end of serving", vllm_look.ADVICE)
    return vllm_look.only(raw, found)
