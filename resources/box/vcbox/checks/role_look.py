"""Whether a role that was installed would change anything now, by Ansible's check mode. Not a check itself."""

from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_run

LISTED = 5
WANT = "a second run changes nothing"


def gather(look: Look, role: str) -> Raw:
    hands = look.hands
    if hands is None:
        return {"why": "only a job of the app knows what the role was installed with"}
    order = hands.order(role)
    if order is None:
        return {"why": f"the role {role} was not run on this box by this laptop"}
    if not hands.foreseeable():
        return {"why": "the packages of the site bundle are not on the box, so nothing can be foreseen"}
    return {"why": None, **hands.play(order, check=True)}


def told(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return "; ".join(names[:LISTED]) + more


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["why"]:
        return not_run(raw["why"], "Provision its layer with this laptop, then run the suite again.")
    advice = "Run its layer again; if a second run still changes something, report it with the job's log."
    if raw["failure"]:
        return judged(False, raw["failure"][:500], WANT, advice, evidence=raw["failure"])
    changed = raw["changed"]
    tasks = (raw["counts"] or {}).get("ok")
    value = f"would change: {told(changed)}" if changed else f"{tasks} tasks, none would change anything"
    return judged(not changed, value, WANT, advice, evidence="\n".join(changed) or None)
