"""How fast ResNet-50 is trained on all GPUs."""

from vcbox.checks import ddp_look, load_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t2_images", "Images a second", ddp_look.SUITE, 4
gather = ddp_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := ddp_look.stop(raw):
        return stop
    value = ddp_look.speeds(raw).get(raw["gpus"])
    if value is None:
        run = ddp_look.whole(raw)
        return ddp_look.before(raw) if run is None else load_look.broken(run, "images/s", ddp_look.ADVICE)
    advice = "Compare clocks, throttle reasons and power under load with another box of this type."
    least = load_look.floor(profile, "ddp", "imagesPerSecond")
    return load_look.at_least(value, least, "images/s", advice, evidence=ddp_look.trained_on(raw))
