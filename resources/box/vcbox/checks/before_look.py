"""What must be there again after a boot, kept on the box's disk before it. Not a check itself."""

import hashlib
import json
import os
from pathlib import Path

from vcbox.checks.base import Look, Raw
from vcbox.checks.t9_units import UNITS
from vcbox.parsers.iptables import chain_rules
from vcbox.parsers.packages import QUERY
from vcbox.parsers.system import is_loopback, parse_ss
from vcbox.paths import Paths

# The app's reboot looks for it; gone after the boot, since /run is, so that nothing reboots twice.
NOTE = Path("/run/vault-cube-reboot-test")
SETTLE_SECONDS = 300.0


def kept() -> Path:
    return Paths().state / "integration-before.json"


def boot_id(look: Look) -> str:
    return (look.read("/proc/sys/kernel/random/boot_id") or "").strip()


def state(look: Look) -> dict[str, str]:
    """What each layer set up, as text by its name; equal before and after a boot."""
    found: dict[str, str] = {}
    for unit in UNITS:
        words = [look.command("systemctl", word, unit)["out"].strip() for word in ("is-enabled", "is-active")]
        # A job of apt's that happens to run is no setting.
        found[unit] = words[0] if unit == "apt-daily-upgrade.service" else ", ".join(words)
    found["firewall"] = look.command("ufw", "status", "verbose")["out"]
    for tool in ("iptables", "ip6tables"):
        rules = chain_rules(look.command(f"{tool}-save", "-t", "filter")["out"], "DOCKER-USER")
        found[f"published ports, {tool}"] = "\n".join(" ".join(rule) for rule in rules or [])
    found["sshd"] = look.command("sshd", "-T")["out"]
    sockets = parse_ss(look.command("ss", "-Hltnp")["out"])
    found["listening"] = ", ".join(
        sorted({f"{s['port']} ({s['process']})" for s in sockets if not is_loopback(s["address"])})
    )
    found["jail"] = look.command("fail2ban-client", "get", "sshd", "maxretry")["out"]
    found["administrator"] = look.command("id", look.admin)["out"]
    found["packages"] = hashlib.sha256(look.command(*QUERY)["out"].encode()).hexdigest()
    found["default runtime"] = look.command("docker", "info", "--format", "{{.DefaultRuntime}}", timeout=60)[
        "out"
    ]
    found["images"] = look.command("docker", "image", "ls", "--no-trunc", "--quiet", timeout=60)["out"]
    found["GPUs"] = look.command("nvidia-smi", "-L", timeout=60)["out"]
    return found


def keep(look: Look) -> None:
    """Writes what is there now, and the note that asks the app for a reboot."""
    path = kept()
    work = path.with_name(f".{path.name}.new")
    with open(work, "w", encoding="utf-8") as f:
        json.dump({"boot": boot_id(look), "state": state(look)}, f)
        f.flush()
        os.fsync(f.fileno())
    work.rename(path)
    NOTE.write_text("a test of what a reboot keeps\n")


def before() -> Raw | None:
    """What was kept, None where there is nothing."""
    try:
        return json.loads(kept().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def settle(look: Look) -> Raw:
    """Waits until everything has started; systemd answers `running`, or `degraded` where a unit failed."""
    return look.command("systemctl", "is-system-running", "--wait", timeout=SETTLE_SECONDS)


def is_after(look: Look) -> bool:
    """Whether this job is the one after the reboot."""
    return bool(look.hands and look.hands.params.get("after"))
