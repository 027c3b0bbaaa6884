"""Grafana's port is closed, or open where the job says that Grafana is wanted."""

from vcbox.checks import ufw_look
from vcbox.checks.base import GRAFANA_PORT, Profile, Raw, Result, box_value, judged, not_run

ID, TITLE, LAYER = "l6_grafana", "Grafana's port", 6
gather = ufw_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    wanted = bool(box_value(profile, "grafana"))
    want = f"{GRAFANA_PORT}/tcp {'open' if wanted else 'closed'}"
    if ufw_look.unusable(raw, want):
        return not_run("the firewall is not active, and only an active one shows its rules", ufw_look.AGAIN)
    about = [r for r in raw["ufw"]["rules"] if str(r["to"]).split("/")[0].split(" ")[0] == str(GRAFANA_PORT)]
    opens = [
        r for r in about if r["action"].startswith(("ALLOW", "LIMIT")) and not r["action"].endswith(" OUT")
    ]
    value = "; ".join(f"{r['to']} {r['action']} {r['from']}" for r in opens) or "closed"
    return judged(bool(opens) == wanted, value, want, ufw_look.AGAIN, evidence=raw["out"])
