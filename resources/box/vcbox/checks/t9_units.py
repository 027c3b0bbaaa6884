"""Each unit that a role manages is in effect as its files say: not masked, and nothing of it waits for a reload of systemd."""

from vcbox.checks.base import Look, Profile, Raw, Result, judged, said

ID, TITLE, SUITE, NEEDS = "t9_units", "Units are in effect as their files say", "roles", 1
# Those of layers that are not there are unknown to systemd, and left out.
UNITS = (
    "ssh.service",
    "ufw.service",
    "fail2ban.service",
    "docker.service",
    "containerd.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "apt-daily-upgrade.service",
    "nvidia-persistenced.service",
)
FIELDS = ("LoadState", "NeedDaemonReload", "ActiveState", "SubState")


def gather(look: Look) -> Raw:
    return {
        unit: look.command("systemctl", "show", "-p", ",".join(FIELDS), unit, timeout=30) for unit in UNITS
    }


def judge(raw: Raw, profile: Profile) -> Result:
    wrong, seen = [], 0
    for unit, shown in raw.items():
        fields = dict(line.partition("=")[::2] for line in shown["out"].splitlines())
        if fields.get("LoadState") == "not-found":
            continue
        seen += 1
        if shown["status"] or fields.get("LoadState") != "loaded":
            wrong.append(f"{unit}: {fields.get('LoadState') or said(shown)}")
        elif fields.get("NeedDaemonReload") != "no":
            wrong.append(f"{unit}: its file was changed since it was loaded")
        elif fields.get("ActiveState") == "failed":
            wrong.append(f"{unit}: failed ({fields.get('SubState')})")
    value = "; ".join(wrong) or f"{seen} units"
    advice = "systemctl daemon-reload, then look at `systemctl status` of the unit, or run its layer again."
    return judged(bool(seen) and not wrong, value, "loaded, none failed, none to be read again", advice)
