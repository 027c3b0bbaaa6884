"""containerd runs and starts at boot: Docker and whoever uses it alone depend on it."""

from vcbox.checks.base import Look, Profile, Raw, Result, judged

ID, TITLE, SUITE, NEEDS = "t9_containerd_service", "containerd runs and starts at boot", "roles", 3


def gather(look: Look) -> Raw:
    words = ("is-enabled", "is-active")
    return {word: look.command("systemctl", word, "containerd.service")["out"].strip() for word in words}


def judge(raw: Raw, profile: Profile) -> Result:
    value = f"{raw['is-enabled'] or '?'}, {raw['is-active'] or '?'}"
    advice = "systemctl enable --now containerd, or run layer 1 again."
    return judged(value == "enabled, active", value, "enabled, active", advice)
