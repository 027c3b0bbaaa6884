"""After the boot, nobody having logged in or started anything, a container sees the GPUs."""

from vcbox.checks import before_look, together_look
from vcbox.checks.base import Look, Profile, Raw, Result, not_run

ID, TITLE, SUITE, NEEDS = "t8_gpu_after_reboot", "A container sees the GPUs after a reboot", "integration", 3


def gather(look: Look) -> Raw:
    old = before_look.before()
    if not before_look.is_after(look):
        return {"why": "it comes after the reboot", "checks": {}}
    if old is None or old["boot"] == before_look.boot_id(look):
        return {"why": "the box was not rebooted", "checks": {}}
    before_look.settle(look)
    return {"why": None, "checks": together_look.gather(look, ("l2_persistenced", "l3_container_gpus"))}


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["why"]:
        return not_run(raw["why"], "Let the run go on, and let it reboot.")
    return together_look.judge(raw["checks"], profile)
