"""htop and nvtop are there and start."""

from vcbox.checks.base import Look, Profile, Raw, Result, judged, said

ID, TITLE, LAYER = "l5_tools", "htop and nvtop start", 5


def gather(look: Look) -> Raw:
    return {name: look.command(f"/usr/bin/{name}", "--version") for name in ("htop", "nvtop")}


def judge(raw: Raw, profile: Profile) -> Result:
    bad = [f"{name}: {said(told)}" for name, told in raw.items() if told["status"]]
    value = "; ".join(bad) or ", ".join(told["out"].strip().splitlines()[0] for told in raw.values())
    return judged(not bad, value, "both tell their version", "Run layer 5 again.")
