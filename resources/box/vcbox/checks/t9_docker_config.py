"""dockerd takes its daemon.json."""

from vcbox.checks import config_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t9_docker_config", "Docker would start with its configuration", "roles", 1


def gather(look: Look) -> Raw:
    return config_look.first_bad(look, ("dockerd", "--validate", "--config-file", "/etc/docker/daemon.json"))


def judge(raw: Raw, profile: Profile) -> Result:
    return config_look.judge(
        raw,
        "dockerd --validate ends with 0",
        "Mend /etc/docker/daemon.json, then run layer 1 and layer 3 again.",
    )
