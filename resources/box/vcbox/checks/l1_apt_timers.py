"""The timers behind automatic updates are on."""

from vcbox.checks.base import Look, Profile, Raw, Result, judged

ID, TITLE, LAYER = "l1_apt_timers", "The timers of automatic updates are on", 1
TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer")


def gather(look: Look) -> Raw:
    return {
        t: [look.command("systemctl", word, t)["out"].strip() for word in ("is-enabled", "is-active")]
        for t in TIMERS
    }


def judge(raw: Raw, profile: Profile) -> Result:
    wrong = [f"{t}: {enabled or '?'}, {active or '?'}" for t, (enabled, active) in raw.items()]
    wrong = [w for w, pair in zip(wrong, raw.values(), strict=True) if pair != ["enabled", "active"]]
    advice = f"systemctl enable --now {' '.join(TIMERS)}, or run layer 1 again."
    return judged(not wrong, "; ".join(wrong) or "enabled, active", "enabled and active", advice)
