"""What a box is, one line a thing: key, tab, value. Runs on the box as root; two runs on an unchanged box print the same.

Left out is what changes by itself: byte code, backups of account files, ld.so's cache, processes, counters of rules, dates.
"""

import hashlib
import os
import re
import subprocess
from collections.abc import Iterator

OURS = ("/opt/vault-cube/venvs", "/opt/vault-cube/demos")
TREES = ("/etc", "/usr/local", "/root/.ssh", "/home/vaultadmin/.ssh", "/var/spool/cron", *OURS)
# Accounts are looked at by what they say, since tools rewrite these files with another order or date.
LEFT_OUT = re.compile(r"^/etc/((passwd|shadow|group|gshadow|subuid|subgid)-?|\.pwd\.lock|ld\.so\.cache|ssl/certs(/.*)?)$|.*/__pycache__(/|$)")
# Jobs, sessions and what a timer just ran.
PASSING = re.compile(r"^(vault-|user@|user-runtime|session-|run-|apt-daily|systemd-|dpkg-db|e2scrub|fstrim|logrotate|man-db|getty|console)")


def said(*argv: str) -> list[str]:
    """The command's lines; what it complains of where it fails."""
    try:
        env = {**os.environ, "LC_ALL": "C.UTF-8"}
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
    except FileNotFoundError:
        return ["no such program"]
    lines = [line.rstrip() for line in done.stdout.splitlines() if line.strip()]
    if done.returncode == 0:
        return lines
    # Errors of fail2ban's begin with the time and its process.
    told = [*lines, f"status {done.returncode}", *done.stderr.split("\n")[:1]]
    return [re.sub(r"\d{4}-\d\d-\d\d [\d:,]+|\[\d+\]", "…", line) for line in told]


def tree(top: str) -> Iterator[tuple[str, str]]:
    for folder, folders, files in os.walk(top):
        for path in (os.path.join(folder, n) for n in [*folders, *files]):
            if LEFT_OUT.match(path):
                continue
            s = os.lstat(path)
            about = f"{s.st_mode:o} {s.st_uid}:{s.st_gid}"
            if os.path.islink(path):
                about += f" -> {os.readlink(path)}"
            elif os.path.isfile(path):
                with open(path, "rb") as f:
                    about += " " + hashlib.sha256(f.read()).hexdigest()[:16]
            yield path, about


def accounts() -> Iterator[tuple[str, str]]:
    for line in said("getent", "passwd"):
        yield f"user {line.split(':')[0]}", line
    for line in said("getent", "group"):
        cells = line.split(":")
        yield f"group {cells[0]}", f"{cells[2]} {','.join(sorted(cells[3].split(',')))}"
    for line in said("passwd", "-S", "-a"):
        yield f"password {line.split()[0]}", line.split()[1]


def packages() -> Iterator[tuple[str, str]]:
    for line in said("dpkg-query", "-W", "-f", "${binary:Package} ${Version} ${db:Status-Abbrev}\\n"):
        yield f"package {line.split()[0]}", line
    for word in ("showmanual", "showhold"):
        yield f"apt-mark {word}", " ".join(sorted(said("apt-mark", word)))


def units() -> Iterator[tuple[str, str]]:
    for line in said("systemctl", "list-unit-files", "--no-legend", "--plain"):
        name, state = line.split()[:2]
        if not PASSING.match(name) or name.endswith(".timer"):
            yield f"unit file {name}", state
    kinds = "--type=service,socket,timer"
    for line in said("systemctl", "list-units", "--all", "--no-legend", "--plain", kinds):
        name, _, active = line.split()[:3]
        if active in ("active", "failed") and (not PASSING.match(name) or name.endswith(".timer")):
            yield f"unit {name}", active


def rules() -> Iterator[tuple[str, str]]:
    for tool in ("iptables-save", "ip6tables-save"):
        table, number = "", 0
        for line in said(tool):
            table = line if line.startswith("*") else table
            if not line.startswith("#"):
                number += 1
                yield f"{tool} {table} {number:03}", re.sub(r"\[\d+:\d+\]", "", line)
    yield "nft tables", ", ".join(sorted(x for x in said("nft", "list", "tables") if "f2b" not in x))
    yield "ufw", "; ".join(said("ufw", "status", "verbose"))


def answers() -> Iterator[tuple[str, str]]:
    for number, line in enumerate(sorted(said("sshd", "-T"))):
        word, _, value = line.partition(" ")
        # These can be there more than once.
        several = word in ("port", "listenaddress", "hostkey", "acceptenv", "allowusers", "subsystem")
        yield f"sshd {word}{f' {number}' if several else ''}", value
    yield "apt", "; ".join(said("apt-config", "dump"))
    for name in ("maxretry", "findtime", "bantime", "ignoreip"):
        yield f"fail2ban {name}", " ".join(said("fail2ban-client", "get", "sshd", name))
    yield "docker", " ".join(said("docker", "info", "--format", "{{.ServerVersion}} {{.Driver}} {{.DefaultRuntime}} {{.Containers}}"))
    for line in said("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"):
        yield f"image {line.split()[0]}", line
    # On loopback containerd takes another port at each start.
    for line in said("ss", "-Hltn"):
        if not line.split()[3].startswith(("127.", "[::1]")):
            yield f"listens {line.split()[3]}", "yes"


if __name__ == "__main__":
    parts = [*(tree(top) for top in TREES), accounts(), packages(), units(), rules(), answers()]
    for part in parts:
        for key, value in part:
            print(f"{key}\t{value}")
