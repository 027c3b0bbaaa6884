"""A graph, XLA and a convolution run on every GPU, and give what the processor gives."""

from vcbox.checks import load_look, tensorflow_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE, NEEDS = "t3_operations", "TensorFlow computes on every GPU", tensorflow_look.SUITE, 4
gather = tensorflow_look.gather


EACH = ("graph", "xla", "convolution")


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := load_look.stop(raw):
        return stop
    found = load_look.records(raw["run"], "operation")
    text = load_look.evidence(raw["run"], "operation", "devices")
    bad = []
    for one in found:
        if not one["right"]:
            bad.append(
                f"GPU {one['gpu']} {one['name']}: {one.get('why') or 'off by ' + format(one['off'], '.2g')}"
            )
        elif not one["there"]:
            bad.append(f"GPU {one['gpu']} {one['name']}: ran on {one['where']}")
    want = "right results on every GPU"
    done = {(one["gpu"], one["name"]) for one in found}
    missing = [f"GPU {gpu} {name}" for gpu in range(raw["gpus"]) for name in EACH if (gpu, name) not in done]
    if (bad or missing) and (stop := tensorflow_look.stock(raw, profile)):
        return stop
    if bad:
        return judged(False, "; ".join(bad)[:500], want, tensorflow_look.ADVICE, evidence=text)
    if missing:
        return load_look.broken(raw["run"], f"operations ({', '.join(missing)})", tensorflow_look.ADVICE)
    return judged(
        True, f"{', '.join(EACH)} on {raw['gpus']} GPUs", want, tensorflow_look.ADVICE, evidence=text
    )
