"""Ansible's connection `local`, whose modules are forks of a Python that waits for them (forkserver.py). In the place of its namesake."""

from __future__ import annotations

DOCUMENTATION = """
name: local
short_description: modules on this machine, as forks of a waiting Python
description:
  - What Ansible's own plugin of this name does. A Python module that is sent to the box's own Python is run by a fork of one that
    has read the common code already; everything else is left to Ansible's own, and so is everything where no such Python waits.
author: Vault Cube
version_added: "1.0"
options:
  become_success_timeout:
    description: As of Ansible's own.
    type: int
    default: 10
  become_strip_preamble:
    description: As of Ansible's own.
    type: bool
    default: true
extends_documentation_fragment:
  - connection_pipelining
"""

import os
import selectors
import socket
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins import connection

VARIABLE = "VAULT_CUBE_FORKSERVER"
KEPT = "VAULT_CUBE_MODULES"
# What is run for a module with pipelining and without variables: Python, reading it from stdin.
PLAIN = "/bin/sh -c '/usr/bin/python3 && sleep 0'"
STEP = 65536


def namesake() -> Any:
    """Ansible's own plugin. By its file: under its name in Ansible's package, this one is found."""
    spec = spec_from_file_location("ansible_own_local", Path(connection.__file__).parent / "local.py")
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def keep_archives() -> None:
    """Ansible reads all that a module imports and packs it, anew in each run: a fifth of a second for each module. The archives are kept
    in the memory of the machine, so that no power cut can leave half of one."""
    kept = os.environ.get(KEPT)
    if kept is None:
        return
    try:
        os.makedirs(kept, 0o700, exist_ok=True)
        os.symlink(kept, os.path.join(C.DEFAULT_LOCAL_TMP, "ansiballz_cache"))
    except OSError:
        pass  # it is there since the run's first task; or nothing can be kept, which only costs time


keep_archives()


class Connection(namesake().Connection):  # type: ignore[misc]
    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> Any:
        server = os.environ.get(VARIABLE)
        # Who becomes another user says so in the command; root who becomes root does not.
        if server is None or not in_data or cmd != PLAIN:
            return super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        self._connect()
        ours, theirs = [], []
        try:
            for _ in range(3):
                ends = os.pipe()
                ours.append(ends[0])
                theirs.append(ends[1])
            asked = ask(int(server), in_data, theirs)
            for fd in theirs:
                os.close(fd)
            theirs = []
            if not asked:
                return super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
            out, err, status = gather(ours)
        finally:
            for fd in [*ours, *theirs]:
                os.close(fd)
        if not status:
            raise AnsibleConnectionFailure("the process that runs modules was ended")
        code = int(status)
        # As a shell says it of what a signal ended.
        return (code if code >= 0 else 128 - code), out, err


def ask(server: int, source: bytes, answers: list[int]) -> bool:
    """False where the server is gone."""
    given = os.memfd_create("module", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(given), "wb") as f:
            f.write(source)
        os.lseek(given, 0, os.SEEK_SET)
        with socket.socket(fileno=os.dup(server)) as sock:
            socket.send_fds(sock, [b"run"], [given, *answers])
        return True
    except (BrokenPipeError, ConnectionResetError):
        return False
    finally:
        os.close(given)


def gather(fds: list[int]) -> list[bytes]:
    """All that comes out of each until its end."""
    found = {fd: bytearray() for fd in fds}
    with selectors.DefaultSelector() as selector:
        for fd in fds:
            selector.register(fd, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                data = os.read(key.fd, STEP)
                found[key.fd] += data
                if not data:
                    selector.unregister(key.fd)
    return [bytes(found[fd]) for fd in fds]
