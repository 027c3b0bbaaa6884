"""
A second run of all layers, a real one, changes nothing. Access hardening is only compared: a change of sshd belongs into a job
that takes it back unless a new login confirms it.
"""

from vcbox.checks import role_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_run

ID, TITLE, SUITE, NEEDS = "t8_second_run", "A second run of all layers changes nothing", "integration", 5
COMPARED = ("access_hardening", "ssh_forwarding")


def gather(look: Look) -> Raw:
    hands = look.hands
    if hands is None or not hands.orders():
        return {"why": "only a job of the app knows what the layers were installed with", "runs": {}}
    if not hands.foreseeable():
        return {"why": "the packages of the site bundle are not on the box any more", "runs": {}}
    runs = {str(o["role"]): hands.play(o, check=o["role"] in COMPARED) for o in hands.orders()}
    return {"why": None, "runs": runs}


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["why"]:
        return not_run(raw["why"], "Provision the layers with this laptop, then run the suite again.")
    wrong, total = [], 0
    for role, done in raw["runs"].items():
        total += (done["counts"] or {}).get("ok", 0)
        if done["failure"]:
            wrong.append(f"{role} failed: {done['failure'][:300]}")
        elif done["changed"]:
            wrong.append(f"{role} changed {role_look.told(done['changed'])}")
    value = "; ".join(wrong)[:1000] or f"{len(raw['runs'])} roles, {total} tasks, changed=0"
    advice = "Check the layers again: what was changed is mended now. If it changes again, report it with the job's log."
    return judged(not wrong, value, "changed=0 in every role", advice)
