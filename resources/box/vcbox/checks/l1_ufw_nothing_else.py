"""Nothing but SSH is open in the firewall, and Grafana's port where the job says that it is wanted."""

from vcbox.checks import ufw_look
from vcbox.checks.base import GRAFANA_PORT, Profile, Raw, Result, box_value, judged, not_run

ID, TITLE, LAYER = "l1_ufw_nothing_else", "The firewall lets nothing else in", 1
gather = ufw_look.gather
OPENS = ("ALLOW", "LIMIT", "?")


def judge(raw: Raw, profile: Profile) -> Result:
    ports = [box_value(profile, "sshPort"), *([GRAFANA_PORT] if box_value(profile, "grafana") else [])]
    want = f"only {' and '.join(f'{port}/tcp' for port in ports)}"
    if ufw_look.unusable(raw, want):
        return not_run("the firewall is not active, and only an active one shows its rules", ufw_look.AGAIN)
    others = [
        r
        for r in raw["ufw"]["rules"]
        if r["action"].startswith(OPENS) and not r["action"].endswith(" OUT")
        if not any(ufw_look.is_open(r, port, v6) for port in ports for v6 in (False, True))
    ]
    value = "; ".join(f"{r['to']} {r['action']} {r['from']}" for r in others) or "nothing else"
    return judged(not others, value[:500], want, ufw_look.AGAIN, evidence=raw["out"])
