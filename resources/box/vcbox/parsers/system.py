"""Small outputs of a Debian-like system: sshd -T, sudo -l, apt-config dump, ss, id, passwd -S, os-release, versions."""

import re
from typing import Any

APT_LINE = re.compile(r'^(?P<key>\S+) "(?P<value>.*)";$')


def parse_sshd(text: str) -> dict[str, list[str]]:
    """`sshd -T`: each keyword in lower case with its values, one a line that it appears on."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, _, value = line.strip().partition(" ")
        if key:
            found.setdefault(key.lower(), []).append(value.strip())
    return found


def parse_apt_config(text: str) -> dict[str, list[str]]:
    """`apt-config dump`: each key (lists end in `::`) with its values in order."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        match = APT_LINE.match(line)
        if match:
            found.setdefault(match["key"], []).append(match["value"])
    return found


def parse_ss(text: str) -> list[dict[str, Any]]:
    """`ss -Hltnp`: `{address, port, process}` of each listening TCP socket; process None where it is not told.

    A socket that systemd handed to what it started is systemd's: both hold it, in no certain order.
    """
    found = []
    for line in text.splitlines():
        cells = line.split()
        if len(cells) < 4 or cells[0] != "LISTEN":
            continue
        address, _, port = cells[3].rpartition(":")
        names = re.findall(r'\("([^"]+)",', line)
        if port.isdigit():
            found.append(
                {
                    "address": address.strip("[]").split("%")[0],
                    "port": int(port),
                    "process": "systemd" if "systemd" in names else next(iter(names), None),
                }
            )
    return found


def is_loopback(address: str) -> bool:
    return address.startswith(("127.", "::ffff:127.")) or address in ("::1", "localhost")


def parse_os_release(text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines():
        key, sep, value = line.strip().partition("=")
        if sep and not key.startswith("#"):
            found[key] = value.strip().strip("\"'")
    return found


def version_key(version: str) -> list[tuple[int, str]]:
    """Orders versions like "580.159.04": numbers as numbers. Words sort before numbers, so "1.0rc" < "1.0.1"."""
    return [
        (int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|[A-Za-z]+", version)
    ]


def at_least(version: str, floor: str) -> bool:
    return version_key(version) >= version_key(floor)


def parse_dpkg_status(text: str) -> dict[str, str]:
    """`dpkg-query -W -f '${Package} ${db:Status-Status}\\n'`: package to state."""
    pairs = (line.split() for line in text.splitlines())
    return {p[0]: p[1] for p in pairs if len(p) == 2}


def parse_sudo_list(text: str) -> list[str]:
    """`sudo -l -U user`: the rules, one a line, without their indentation."""
    rules, listing = [], False
    for line in text.splitlines():
        if "may run the following" in line:
            listing = True
        elif listing and line.startswith(" ") and line.strip():
            rules.append(line.strip())
    return rules
