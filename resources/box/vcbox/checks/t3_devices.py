"""TensorFlow lists as many GPUs as the profile names, of its compute capability."""

from vcbox.checks import gpu_look, load_look, tensorflow_look
from vcbox.checks.base import Profile, Raw, Result, judged

ID, TITLE, SUITE, NEEDS = "t3_devices", "TensorFlow lists the GPUs", tensorflow_look.SUITE, 4
gather = tensorflow_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := load_look.stop(raw):
        return stop
    one = tensorflow_look.told(raw)
    if one is None:
        return load_look.broken(raw["run"], "a list of devices", tensorflow_look.ADVICE)
    count, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("count"), "value")
    wanted = raw["gpus"] if count is None else count
    if one["gpus"] != wanted and (stop := tensorflow_look.stock(raw, profile)):
        return stop
    value = f"{one['gpus']} of {wanted}, compute capability {', '.join(sorted(set(one['capabilities']))) or 'of none'}"
    text = load_look.evidence(raw["run"], "devices")
    return judged(
        one["gpus"] == wanted, value, f"{wanted} GPUs", tensorflow_look.ADVICE, source=source, evidence=text
    )
