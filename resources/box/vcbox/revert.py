"""Takes back access hardening: snapshot, arm, revert. What locks people out must undo itself without anybody's help.

Armed means: `<state>/revert/armed.json` exists. Then a systemd timer reverts after a time, a unit at boot reverts after a
power cut, and the harden job reverts when it sees a failure. Whoever comes first does it; the rest find nothing to do.
"""

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

from vcbox import process
from vcbox.paths import Paths

# What the hardening role writes. Folders are put back as a whole, so that a file it added goes away again.
KEPT = (
    "/etc/ssh/sshd_config",
    "/etc/ssh/sshd_config.d",
    "/etc/ufw",
    "/etc/default/ufw",
)
UNITS = ("ssh.socket", "ssh.service", "ufw.service")
BOOT_UNIT = "vault-cube-revert.service"
BOOT_UNIT_PATH = Path("/etc/systemd/system") / BOOT_UNIT
BOOT_TEXT = """\
# Hardening was cut short before its login was proven: put sshd and the firewall back as they were.
[Unit]
Description=Vault Cube: take back unconfirmed hardening
After=ssh.service ufw.service docker.service
ConditionPathExists={armed}

[Service]
Type=oneshot
ExecStart={command}

[Install]
WantedBy=multi-user.target
"""


def folder(paths: Paths) -> Path:
    return paths.state / "revert"


def armed(paths: Paths) -> dict[str, Any] | None:
    """What is armed, or None."""
    try:
        return json.loads((folder(paths) / "armed.json").read_text())
    except (OSError, ValueError):
        return None


def command(box: Path, paths: Paths, why: str) -> list[str]:
    main = str(box / "vcbox" / "__main__.py")
    return [sys.executable, "-I", "-B", main, "revert", "--state", str(paths.state), "--why", why]


def read_state() -> dict[str, Any]:
    """What is not in files: units, firewall, whether root's password is locked (never the hash)."""
    units = {}
    for unit in UNITS:
        enabled = process.capture(["systemctl", "is-enabled", unit])[1].strip()
        active = process.capture(["systemctl", "is-active", unit])[1].strip()
        units[unit] = {"enabled": enabled, "active": active}
    root = process.capture(["passwd", "-S", "root"])[1].split()
    ufw = process.capture(["ufw", "status"], env={"LC_ALL": "C"})[1]
    return {
        "units": units,
        "rootPassword": root[1] if len(root) > 1 else None,
        "ufwActive": "Status: active" in ufw,
    }


def snapshot(paths: Paths, job: str) -> None:
    """Keeps the present state under `<state>/revert/`, readable by root alone."""
    base = folder(paths)
    base.mkdir(mode=0o700, exist_ok=True)
    os.chmod(base, 0o700)
    with tarfile.open(base / "files.tar", "w") as tar:
        for path in KEPT:
            if os.path.lexists(path):
                tar.add(path, arcname=path.lstrip("/"))
    (base / "state.json").write_text(json.dumps({"job": job, **read_state()}))
    (base / "last.json").unlink(missing_ok=True)
    os.sync()


def start_timer(box: Path, paths: Paths, unit: str, seconds: float) -> None:
    """A timer of systemd's own that reverts: it needs neither the job nor the connection."""
    argv = [
        "systemd-run",
        "--quiet",
        "--no-ask-password",
        "--collect",
        f"--unit={unit}",
        f"--on-active={seconds:.0f}",
    ]
    argv += [
        "--timer-property=AccuracySec=1s",
        "--",
        *command(box, paths, "the login was not confirmed in time"),
    ]
    status, _, err = process.capture(argv)
    if status:
        raise OSError(f"systemd-run: {err.strip()}")


def stop_timer(unit: str) -> None:
    process.capture(["systemctl", "stop", f"{unit}.timer"])


def arm(box: Path, paths: Paths, job: str, unit: str, seconds: float) -> None:
    """From here on it reverts by itself, `seconds` later or at the next boot."""
    marker = folder(paths) / "armed.json"
    boot = command(box, paths, "the box was started before the login was confirmed")
    quoted = " ".join(f'"{word}"' if " " in word else word for word in boot)
    BOOT_UNIT_PATH.write_text(BOOT_TEXT.format(armed=marker, command=quoted))
    BOOT_UNIT_PATH.chmod(0o644)  # as systemd expects of units, whatever the job's umask
    marker.write_text(json.dumps({"job": job}))
    process.capture(["systemctl", "daemon-reload"])
    process.capture(["systemctl", "enable", BOOT_UNIT])
    os.sync()
    start_timer(box, paths, unit, seconds)


def confirm(paths: Paths) -> bool:
    """Keeps the hardening. False when a revert came first: then it is no longer there to be kept."""
    fd = os.open(folder(paths) / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        if armed(paths) is None:
            return False
        disarm(paths)
        return True
    finally:
        os.close(fd)


def disarm(paths: Paths) -> None:
    (folder(paths) / "armed.json").unlink(missing_ok=True)
    os.sync()
    if BOOT_UNIT_PATH.exists():
        process.capture(["systemctl", "disable", BOOT_UNIT])
        BOOT_UNIT_PATH.unlink(missing_ok=True)
        process.capture(["systemctl", "daemon-reload"])


def restore_files(archive: Path) -> None:
    for path in KEPT:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)
    # The archive was written by root into a folder of root's alone; its owners and modes are to come back as they were.
    with tarfile.open(archive) as tar:
        tar.extractall("/", numeric_owner=True, filter="fully_trusted")


def restore_units(state: dict[str, Any]) -> list[str]:
    notes = []
    units = state["units"]

    def systemctl(*words: str) -> None:
        status, _, err = process.capture(["systemctl", *words])
        if status:
            notes.append(f"systemctl {' '.join(words)}: {err.strip()}")

    socket_was = units["ssh.socket"]["active"] == "active"
    socket_is = process.capture(["systemctl", "is-active", "ssh.socket"])[1].strip() == "active"
    if socket_was and not socket_is:
        # The socket can only have the port when the service lets it go; open sessions are processes of their own. Before
        # anything is enabled or disabled: with its alias, systemd can lose sight of an sshd that runs.
        systemctl("stop", "ssh.service")
    for unit, was in units.items():
        now = process.capture(["systemctl", "is-enabled", unit])[1].strip()
        if was["enabled"] != now and was["enabled"] in ("enabled", "disabled"):
            systemctl("enable" if was["enabled"] == "enabled" else "disable", unit)
    if socket_was and not socket_is:
        systemctl("start", "ssh.socket")
        if units["ssh.service"]["active"] == "active":
            systemctl("start", "ssh.service")
    else:
        systemctl("reload-or-restart", "ssh.service")
    return notes


def restore_firewall(state: dict[str, Any]) -> list[str]:
    # Rules the role put into DOCKER-USER stay in the kernel when ufw's files no longer name them.
    for tool in ("iptables", "ip6tables"):
        process.capture([tool, "-F", "DOCKER-USER"])
        process.capture([tool, "-A", "DOCKER-USER", "-j", "RETURN"])
    # ufw's chains outlive a flush of all rules, the ways into them do not: a reload would then only drop everything.
    for tool, chain in (("iptables", "ufw-before-input"), ("ip6tables", "ufw6-before-input")):
        if state["ufwActive"] and process.capture([tool, "-C", "INPUT", "-j", chain])[0]:
            process.capture([tool, "-A", "INPUT", "-j", chain])
    words = ["reload"] if state["ufwActive"] else ["--force", "disable"]
    status, out, err = process.capture(["ufw", *words])
    if state["ufwActive"] and "not enabled" in out:
        status, out, err = process.capture(["ufw", "--force", "enable"])
    return [f"ufw {' '.join(words)}: {(err or out).strip()}"] if status else []


def restore_root(state: dict[str, Any]) -> list[str]:
    if state["rootPassword"] != "P" or process.capture(["passwd", "-S", "root"])[1].split()[1:2] == ["P"]:
        return []
    status, _, err = process.capture(["usermod", "-U", "root"])
    return [f"usermod -U root: {err.strip()}"] if status else []


def revert(paths: Paths, why: str) -> dict[str, Any] | None:
    """Puts everything back if armed; returns what was done, None when nothing was armed."""
    base = folder(paths)
    if not base.is_dir():
        return None
    fd = os.open(base / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        marker = armed(paths)
        if marker is None:
            return None
        state = json.loads((base / "state.json").read_text())
        restore_files(base / "files.tar")
        notes = restore_units(state) + restore_firewall(state) + restore_root(state)
        done = {"job": marker["job"], "why": why, "t": time.time(), "notes": notes}
        (base / "last.json").write_text(json.dumps(done))
        disarm(paths)
        return done
    finally:
        os.close(fd)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--why", default="asked for")
    args = parser.parse_args(argv)
    try:
        done = revert(Paths(state=args.state), args.why)
    except (OSError, ValueError, subprocess.SubprocessError, tarfile.TarError) as e:
        print(f"hardening could not be taken back: {e}", file=sys.stderr)
        return 1
    print(json.dumps(done))
    return 0
