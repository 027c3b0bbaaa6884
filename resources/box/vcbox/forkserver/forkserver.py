"""Runs ansible-playbook, and its modules as forks of a Python that has read Ansible's common code already.

`python3 -I forkserver.py SITE_PACKAGES COMMAND…`: SITE_PACKAGES is where Ansible is installed, compiled. Ansible starts a Python for each task and
sends it an archive of sources: starting, unpacking and compiling are most of a small task's time. Here that is done once. The connection plugin
beside this file hands over what that Python would have read on stdin, with descriptors for stdout, stderr and the exit status.

A fork differs from a new Python in nothing that a module could see: it has the same environment, folder and arguments; `ansible` itself and
the modules come out of its archive as ever. Ends as COMMAND ends. Stand-alone: it imports nothing of the package it lies in.
"""

import gc
import os
import selectors
import signal
import socket
import subprocess
import sys
import types
from importlib import import_module

VARIABLE = "VAULT_CUBE_FORKSERVER"
# Descriptors of a request: source, stdout, stderr, exit status.
REQUEST_FDS = 4
LEAVE_OUT = ("ansible", "ansible.modules")


def preload(installed: str) -> None:
    """ImportError where the code is not there. What is imported here must not look at the machine: it is another one after some tasks."""
    sys.path.append(installed)
    try:
        import_module("ansible.module_utils._internal._ansiballz._loader")
    finally:
        sys.path.remove(installed)
        # Modules are the archive's: some of them are our roles' own.
        for name in LEAVE_OUT:
            sys.modules.pop(name, None)
    for name in ("base64", "platform", "runpy", "shutil", "tempfile", "zipfile"):
        import_module(name)
    gc.collect()
    gc.freeze()


class Server:
    """One process that forks; it never runs a module itself and prints nothing."""

    def __init__(self, command: "list[str]") -> None:
        self.requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        env = {**os.environ, VARIABLE: str(theirs.fileno())}
        with theirs:
            self.command = subprocess.Popen(command, env=env, pass_fds=[theirs.fileno()])
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.requests, selectors.EVENT_READ)
        self.selector.register(
            os.pidfd_open(self.command.pid), selectors.EVENT_READ, (self.command.pid, None)
        )

    def serve(self) -> "bytes | int":
        """The source of a module, in its fork; the command's status, as subprocess has it, in the server itself."""
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    source = self._request()
                    if source is not None:
                        return source
                elif self._ended(key):
                    return self.command.returncode

    def _request(self) -> "bytes | None":
        _, fds, _, _ = socket.recv_fds(self.requests, 16, REQUEST_FDS)
        if not fds:
            self.selector.unregister(self.requests)  # nobody is left to ask
            return None
        source, out, err, status = fds
        pid = os.fork()
        if pid == 0:
            return become_module(source, out, err)
        for fd in (source, out, err):
            os.close(fd)
        self.selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, status))
        return None

    def _ended(self, key: "selectors.SelectorKey") -> bool:
        """True when it is the command that ended."""
        pid, status = key.data
        if status is None:
            self.command.wait()
            return True
        self.selector.unregister(key.fd)
        os.close(key.fd)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        try:
            os.write(status, str(code).encode())
        except BrokenPipeError:
            pass  # who asked was ended
        os.close(status)
        return False


def become_module(source: int, out: int, err: int) -> bytes:
    """Makes this fork what a Python that was started anew would be, and returns what it is to run."""
    # Below Ansible it would be in its worker's session: a cancel ends Ansible's process group and lets a dpkg come to its end.
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with os.fdopen(os.dup(source), "rb") as f:
        text = f.read()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for at, fd in enumerate((nothing, out, err)):
        os.dup2(fd, at)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    sys.argv = [""]
    return text


def main(argv: "list[str]") -> "bytes | int":
    installed, *command = argv
    try:
        preload(installed)
    except Exception as e:  # noqa: BLE001  # whatever it is, Ansible's own way has all it needs
        print(f"modules start anew each time: {e}", file=sys.stderr, flush=True)
        os.execvp(command[0], command)
    server = Server(command)
    # It waits for what the command makes of them, and is not ended before.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return server.serve()


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    found = main(sys.argv[1:])
    if isinstance(found, bytes):
        # At the outermost level: an exception, sys.exit and what runs at the exit do what they do in any program.
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        exec(compile(found, "<stdin>", "exec"), module.__dict__)  # noqa: S102  # as Python runs what it reads on stdin
    elif found < 0:
        signal.signal(-found, signal.SIG_DFL)
        os.kill(os.getpid(), -found)
    else:
        sys.exit(found)
