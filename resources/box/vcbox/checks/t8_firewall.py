"""From outside only SSH answers: neither a program that listens nor a port that a container publishes does. The laptop tries."""

import json

from vcbox import outside
from vcbox.checks.base import Look, Profile, Raw, Result, box_value, error, judged, not_run

ID, TITLE, SUITE, NEEDS = "t8_firewall", "From outside only SSH answers", "integration", 1


def gather(look: Look) -> Raw:
    return outside.finding(look)


def judge(raw: Raw, profile: Profile) -> Result:
    told = raw["told"]
    if raw["why"] or told is None:
        return not_run(raw["why"], "Run the suite again, with the laptop connected.")
    deaf = [what for what, heard in raw["local"].items() if not heard]
    if deaf:
        # What does not answer on the box itself shows nothing by its silence outside.
        return error(f"nothing answered on the box: {', '.join(deaf)}", "Run the suite again.")
    port = str(box_value(profile, "sshPort"))
    allowed = {port, "3000"} if box_value(profile, "grafana") else {port}
    ports = told.get("ports") or {}
    names = {str(number): what for what, number in raw["asked"].items() if isinstance(number, int)}
    open_ones = [
        f"{number} ({names.get(number, 'other')}): {state}"
        for number, state in ports.items()
        if number not in allowed and state != "silent"
    ]
    missing = [what for number, what in names.items() if number not in ports]
    if ports.get(port) != "open":
        return error(f"the laptop reached not even port {port}: {ports.get(port)}", "Run the suite again.")
    if missing:
        return error(f"the laptop did not try: {', '.join(missing)}", "Run the suite again.")
    strangers = [f"reached from {address}" for address in raw["reached"] if address != "127.0.0.1"]
    wrong = [*open_ones, *strangers]
    value = "; ".join(wrong) or f"{port} answers, {len(ports) - 1} others are silent"
    evidence = json.dumps({"laptop": ports, "box": raw["local"], "asked": raw["asked"]})
    return judged(not wrong, value, f"only {port} answers", "Run hardening again.", evidence=evidence)
