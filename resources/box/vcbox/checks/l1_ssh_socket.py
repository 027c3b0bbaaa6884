"""ssh.socket does not own sshd's port: then sshd's configuration would not decide it."""

from vcbox.checks.base import Look, Profile, Raw, Result, judged

ID, TITLE, LAYER = "l1_ssh_socket", "No socket unit in front of sshd", 1


def gather(look: Look) -> Raw:
    return {
        word: look.command("systemctl", word, "ssh.socket")["out"].strip()
        for word in ("is-enabled", "is-active")
    }


def judge(raw: Raw, profile: Profile) -> Result:
    enabled, active = raw["is-enabled"], raw["is-active"]
    good = enabled not in ("enabled", "enabled-runtime", "linked") and active not in ("active", "activating")
    return judged(
        good,
        f"{enabled or 'no such unit'}, {active or 'inactive'}",
        "disabled, inactive",
        "Run hardening again.",
    )
