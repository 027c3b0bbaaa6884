"""The administrator's account, before there is any Ansible: `python3 -I -c <this>`, as root, orders as JSON on stdin.

Orders: `{"do": "look" | "apply", "user": "vaultadmin", "uid": 1000 | null, "groups": [...], "keys": ["ssh-ed25519 AAAA… comment"],
"password": "…" | null, "boxId": "uuid" | null}`. Prints one JSON object: `{"ok": true, "exists", "uid", "uidHolder", "hasPassword",
"keys", "boxId", "changed": [...]}` or `{"ok": false, "code", "detail"}`. Applying the same orders twice changes nothing but a
password that is given. Stand-alone: it is sent as text and imports nothing of this package.
"""

import grp
import json
import os
import pwd
import re
import subprocess
import sys

WANTED = 1000
BOX_ID = "/etc/vault-cube/box-id"
ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
NAME = re.compile(r"^[a-z_][a-z0-9_-]{0,31}$")
KEY = re.compile(r"^(?:ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}(?: [^\r\n]*)?$")
HASH = re.compile(r"^\$(y|gy|6|5|2[aby])\$[^:]+$")


class Refused(Exception):
    def __init__(self, code, detail):
        super().__init__(detail)
        self.code = code


def run(*argv, stdin=""):
    """A command whose failure ends everything; its words are the detail."""
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, env=ENV, check=False)
    except FileNotFoundError as e:
        raise Refused("box_unreadable", f"{argv[0]} is not on the box") from e
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:] or [f"status {done.returncode}"]
        full = "no space left" in said[0].lower()
        raise Refused("box_disk_full" if full else "box_unreadable", f"{argv[0]}: {said[0][:300]}")


def account(name):
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def has_password(name):
    with open("/etc/shadow", encoding="utf-8", errors="replace") as f:
        hashes = [line.split(":")[1] for line in f if line.startswith(f"{name}:")]
    return bool(hashes and HASH.match(hashes[0]))


def holder():
    try:
        return pwd.getpwuid(WANTED).pw_name
    except KeyError:
        return None


def read_keys(user):
    """Lines of the user's authorized_keys that are keys."""
    try:
        with open(os.path.join(user.pw_dir, ".ssh", "authorized_keys"), encoding="utf-8", errors="replace") as f:
            return [line.strip() for line in f if line.strip() and not line.lstrip().startswith("#")]
    except OSError:
        return []


def read_box_id():
    try:
        with open(BOX_ID, encoding="utf-8") as f:
            return f.read().strip() or None
    except OSError:
        return None


def blob(line):
    """The part of a key line that is the key itself, whatever options and comment stand around it."""
    return next((w for w in line.split() if w.startswith("AAAA")), line)


def write_renamed(path, text, mode):
    work = f"{path}.vault-cube.new"
    if os.path.lexists(work):
        os.unlink(work)
    fd = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(fd, "w", encoding="utf-8") as f:
        f.write(text)
        f.flush()
        os.fchmod(f.fileno(), mode)
        os.fsync(f.fileno())
    os.rename(work, path)


def install_keys(user, keys):
    """Adds what is missing, as the user: root writes nothing into a folder that the user controls."""
    os.setegid(user.pw_gid)
    os.seteuid(user.pw_uid)
    try:
        folder = os.path.join(user.pw_dir, ".ssh")
        path = os.path.join(folder, "authorized_keys")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        there = read_keys(user)
        missing = [k for k in keys if blob(k) not in {blob(line) for line in there}]
        # sshd refuses files that others may write.
        loose = [p for p in (folder, path) if os.path.exists(p) and os.stat(p).st_mode & 0o077]
        for p in loose:
            os.chmod(p, 0o700 if p == folder else 0o600)
        if missing:
            old = ""
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as f:
                    old = f.read()
            if old and not old.endswith("\n"):
                old += "\n"
            write_renamed(path, old + "".join(f"{k}\n" for k in missing), 0o600)
        return bool(missing or loose)
    finally:
        os.seteuid(0)
        os.setegid(0)


def look(name):
    user = account(name)
    return {
        "ok": True,
        "exists": user is not None,
        "uid": user.pw_uid if user else None,
        "uidHolder": holder(),
        "hasPassword": user is not None and has_password(name),
        "keys": read_keys(user) if user else [],
        "boxId": read_box_id(),
        "changed": [],
    }


def apply(orders):
    name, uid, changed = orders["user"], orders.get("uid"), []
    if not any(os.access(f"{p}/sudo", os.X_OK) for p in ENV["PATH"].split(":")):
        raise Refused("sudo_absent", "sudo is not installed")
    for group in orders["groups"]:
        try:
            grp.getgrnam(group)
        except KeyError:
            run("groupadd", "--system", group)
            changed.append(f"group {group}")
    user = account(name)
    if user is None:
        if uid is not None and holder() is not None:
            raise Refused("uid_taken", holder())
        number = ["--uid", str(uid)] if uid is not None else []
        run("useradd", "--create-home", "--shell", "/bin/bash", *number, name)
        changed.append(f"user {name}")
        user = account(name)
    elif user.pw_shell.endswith(("/nologin", "/false")):
        run("usermod", "--shell", "/bin/bash", name)
        changed.append("shell")
    missing = [g for g in orders["groups"] if name not in grp.getgrnam(g).gr_mem and user.pw_gid != grp.getgrnam(g).gr_gid]
    if missing:
        run("usermod", "--append", "--groups", ",".join(missing), name)
        changed.append(f"groups {', '.join(missing)}")
    if install_keys(user, orders["keys"]):
        changed.append("authorized_keys")
    if orders.get("password") is not None:
        run("chpasswd", stdin=f"{name}:{orders['password']}\n")
        changed.append("password")
    if read_box_id() is None and orders.get("boxId"):
        os.makedirs(os.path.dirname(BOX_ID), mode=0o755, exist_ok=True)
        write_renamed(BOX_ID, f"{orders['boxId']}\n", 0o644)
        changed.append("box id")
    os.sync()
    return {**look(name), "changed": changed}


def checked(orders):
    """The orders, or Refused: what comes here is the app's own, and is held against the rules all the same."""
    if not NAME.match(str(orders.get("user"))) or not all(NAME.match(g) for g in orders.get("groups", [])):
        raise Refused("box_unreadable", "a user or group name is not one")
    if not all(KEY.match(k) for k in orders.get("keys", [])):
        raise Refused("box_unreadable", "a public key is not one")
    password = orders.get("password")
    if password is not None and (not password or re.search(r"[\r\n\0]", password)):
        raise Refused("box_unreadable", "a password is empty or has a line break")
    return orders


def main():
    os.umask(0o022)
    try:
        orders = checked(json.load(sys.stdin))
        answer = apply(orders) if orders["do"] == "apply" else look(orders["user"])
    except Refused as e:
        answer = {"ok": False, "code": e.code, "detail": str(e)}
    except OSError as e:
        code = "box_disk_full" if e.errno in (28, 122) else "box_unreadable"
        answer = {"ok": False, "code": code, "detail": f"{e.strerror}: {e.filename}"}
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
