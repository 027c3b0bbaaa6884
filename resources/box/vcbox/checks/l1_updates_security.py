"""unattended-upgrades installs security updates by itself."""

from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, said
from vcbox.parsers.system import parse_apt_config

ID, TITLE, LAYER = "l1_updates_security", "Security updates are automatic", 1
ORIGINS = ("Unattended-Upgrade::Allowed-Origins::", "Unattended-Upgrade::Origins-Pattern::")


def gather(look: Look) -> Raw:
    return look.command("apt-config", "dump")


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["status"]:
        return error(f"apt-config: {said(raw)}", "Mend apt's configuration: apt-config dump names the file.")
    config = parse_apt_config(raw["out"])
    daily = {
        k: (config.get(f"APT::Periodic::{k}") or ["0"])[-1]
        for k in ("Update-Package-Lists", "Unattended-Upgrade")
    }
    origins = [v for key in ORIGINS for v in config.get(key, [])]
    off = [k for k, v in daily.items() if v in ("0", "")]
    secure = [o for o in origins if "security" in o.lower()]
    value = f"off: {', '.join(off)}" if off else ("; ".join(secure) or "no security archive is allowed")
    good = not off and bool(secure)
    return judged(
        good, value, "both daily, security archive allowed", "Run layer 1 again.", evidence="\n".join(origins)
    )
