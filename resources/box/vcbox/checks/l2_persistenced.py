"""The persistence daemon runs, also after a boot, and every card stays awake."""

from vcbox.checks import driver_look, gpu_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged

ID, TITLE, LAYER = "l2_persistenced", "Cards stay awake", 2
UNIT = "nvidia-persistenced.service"


def gather(look: Look) -> Raw:
    words = {
        verb: look.command("systemctl", verb, UNIT)["out"].strip() for verb in ("is-enabled", "is-active")
    }
    start = look.command("systemctl", "show", "-p", "ExecStart", "--value", UNIT)
    return {**words, "start": start["out"], "query": gpu_look.gather(look)["query"]}


def judge(raw: Raw, profile: Profile) -> Result:
    wrong = []
    if raw["is-enabled"] != "enabled":
        wrong.append(f"at boot: {raw['is-enabled'] or 'unknown'}")
    if raw["is-active"] != "active":
        wrong.append(f"now: {raw['is-active'] or 'unknown'}")
    # As the package has it, and what layer 2 takes away: the cards would be asleep from the daemon's next start on.
    if "--no-persistence-mode" in raw["start"]:
        wrong.append("its next start leaves persistence off")
    gpus = raw["query"]["gpus"] if raw["query"] else []
    asleep = [g["bus"] for g in gpus if g["persistence"] == "Disabled"]
    if asleep:
        wrong.append(f"persistence is off on {', '.join(asleep)}")
    value = "; ".join(wrong) or "enabled, active"
    want = f"{UNIT} enabled and active, persistence on"
    return judged(not wrong, value, want, driver_look.AGAIN)
