"""dpkg and apt find nothing half installed and no dependency unmet."""

from vcbox.checks import config_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t9_packages", "Packages are whole", "roles", 1


def gather(look: Look) -> Raw:
    return config_look.first_bad(
        look, ("sh", "-c", "dpkg --audit | grep . && exit 1; exit 0"), ("apt-get", "check")
    )


def judge(raw: Raw, profile: Profile) -> Result:
    return config_look.judge(
        raw,
        "dpkg --audit names nothing, apt-get check ends with 0",
        "dpkg --configure -a; apt-get --fix-broken install; then check again.",
    )
