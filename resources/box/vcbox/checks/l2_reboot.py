"""No reboot is due."""

from vcbox.checks import driver_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged
from vcbox.parsers.system import version_key

ID, TITLE, LAYER = "l2_reboot", "No reboot is due", 2
# Layer 2's own note, and the distribution's.
NOTES = ("/run/vault-cube-reboot-due", "/run/reboot-required")


def gather(look: Look) -> Raw:
    kernels = driver_look.kernels(look)
    running = look.command("uname", "-r")["out"].strip()
    return {
        "notes": {path: text for path in NOTES if (text := look.read(path)) is not None},
        "container": driver_look.in_container(look),
        "running": running,
        "newest": max(kernels, key=version_key, default=running),
        "loaded": driver_look.loaded(look)["version"],
        "file": driver_look.module_field(look, running, "version"),
    }


def judge(raw: Raw, profile: Profile) -> Result:
    due = [text.strip() or f"{path} is there" for path, text in raw["notes"].items()]
    if not raw["container"]:
        if version_key(raw["newest"]) > version_key(raw["running"]):
            due.append(f"kernel {raw['newest']} is installed, {raw['running']} runs")
        if raw["loaded"] and raw["file"] and raw["loaded"] != raw["file"]:
            due.append(f"module {raw['file']} is installed, {raw['loaded']} is loaded")
    return judged(not due, "; ".join(due) or "none due", "none due", "Reboot the box, then check again.")
