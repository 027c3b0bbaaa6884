"""The validation commands compare the box with the profile that it was provisioned by."""

import json

from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_supported
from vcbox.selfrun import PROFILE

ID, TITLE, LAYER = "l5_profile", "Profile of the validation commands", 5


def gather(look: Look) -> Raw:
    return {"text": look.read(str(PROFILE))}


def judge(raw: Raw, profile: Profile) -> Result:
    wanted = {key: value for key, value in profile.items() if key != "box"}
    if not wanted:
        return not_supported("the job names no profile")
    again = "Run layer 5 again."
    if raw["text"] is None:
        return judged(False, f"there is no {PROFILE}", str(wanted.get("id")), again)
    try:
        found = json.loads(raw["text"])
    except ValueError as e:
        return judged(False, f"{PROFILE} is no JSON: {e}", str(wanted.get("id")), again)
    if found == wanted:
        return judged(True, str(found.get("id")), str(wanted.get("id")), again)
    named = found.get("id") if isinstance(found, dict) else None
    what = "another one" if named == wanted.get("id") else str(named)
    return judged(False, f"{PROFILE} holds {what}", str(wanted.get("id")), again)
