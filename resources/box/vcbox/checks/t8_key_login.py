"""After the hardening a new login with the key works, and a password is not even taken. The laptop tries both."""

import json

from vcbox import outside
from vcbox.checks.base import Look, Profile, Raw, Result, box_value, judged, not_run

ID, TITLE, SUITE, NEEDS = (
    "t8_key_login",
    "A new login works with the key, and with nothing else",
    "integration",
    1,
)


def gather(look: Look) -> Raw:
    return outside.finding(look)


def judge(raw: Raw, profile: Profile) -> Result:
    told = raw["told"]
    if told is None:
        return not_run(raw["why"], "Run the suite again, with the laptop connected.")
    key, password = told.get("key") or {}, told.get("password") or {}
    methods = password.get("methods")
    wrong = [] if key.get("ok") is True else [f"no login with the key: {key.get('detail')}"]
    if password.get("refused") is not True:
        wrong.append(f"a password is taken: {password.get('detail')}")
    elif methods != "publickey":
        wrong.append(f"the box offers {methods}")
    user, port = box_value(profile, "adminUser"), box_value(profile, "sshPort")
    value = "; ".join(wrong) or f"{user} by key in {key.get('seconds')} s, offered: {methods}"
    want = f"{user} on port {port} by key; publickey is all that is offered"
    advice = "Keep a session open, and run hardening again."
    return judged(not wrong, value, want, advice, evidence=json.dumps(told))
