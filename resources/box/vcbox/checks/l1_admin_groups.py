"""The administrator is in the groups that sudo, the job folders and Docker go by."""

from vcbox.checks.base import Look, Profile, Raw, Result, box_value, judged

ID, TITLE, LAYER = "l1_admin_groups", "The administrator's groups", 1
WANTED = ("sudo", "vaultcube", "docker")


def gather(look: Look) -> Raw:
    return {"passwd": look.command("getent", "passwd"), "group": look.command("getent", "group")}


def judge(raw: Raw, profile: Profile) -> Result:
    name = box_value(profile, "adminUser")
    groups = [line.split(":") for line in raw["group"]["out"].splitlines()]
    member = sorted(g[0] for g in groups if len(g) == 4 and name in g[3].split(","))
    missing = [g for g in WANTED if g not in member]
    value = f"not in {', '.join(missing)}" if missing else ", ".join(member)
    return judged(not missing, value, ", ".join(WANTED), "Run layer 1 again.", evidence=", ".join(member))
