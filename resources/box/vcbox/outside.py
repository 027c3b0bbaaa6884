"""The box as others on its network see it: something listens here, a container publishes a port, and the laptop tries both."""

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

from vcbox import process
from vcbox.checks import l1_docker_container
from vcbox.checks.base import Look, Raw, said

ASK_SECONDS = 180.0
KEY = ("laptop",)


@contextlib.contextmanager
def listener(port: int) -> Iterator[list[str]]:
    """A program that listens on all addresses, IPv6 too; yields the addresses that reached it."""
    reached: list[str] = []
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True) as server:

        def serve() -> None:
            while True:
                try:
                    peer, address = server.accept()
                except OSError:
                    return
                peer.close()
                reached.append(address[0].removeprefix("::ffff:"))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield reached
        finally:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


@contextlib.contextmanager
def container(look: Look, port: int) -> Iterator[str | None]:
    """A container that publishes a port on all addresses; yields why there is none, or None."""
    _, image = l1_docker_container.image_of(look)
    if image is None:
        yield "no container image is on the box"
        return
    name = f"vault-cube-outside-{look.job}"
    argv = ["docker", "run", "--detach", "--rm", "--pull", "never", "--name", name]
    argv += ["--label", f"vault-cube.job={look.job}", "--publish", f"{port}:80"]
    try:
        status, out, err = process.capture([*argv, "--entrypoint", "sleep", image, "600"], 120)
        yield None if status == 0 else said({"status": status, "out": out, "err": err})
    finally:
        process.capture(["docker", "rm", "--force", name], 60)


def answers(port: int) -> bool:
    """Whether the port answers on the box itself, which shows that there was something to be reached."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            return True
    except OSError:
        return False


def finding(look: Look) -> Raw:
    """`{why, asked, local, reached, told}`, asked once a job; `why` says what stood in the way, told is the laptop's answer."""
    if KEY not in look.seen:
        look.seen[KEY] = _finding(look)
    return look.seen[KEY]


def _finding(look: Look) -> Raw:
    asked = look.hands.params.get("outside") if look.hands else None
    raw: Raw = {"why": None, "asked": asked, "local": {}, "reached": [], "told": None}
    if look.hands is None or not isinstance(asked, dict):
        return {**raw, "why": "only a job of the app can be looked at from outside"}
    ports: dict[str, Any] = {"program": asked.get("program"), "container": asked.get("container")}
    try:
        with listener(int(ports["program"])) as reached, container(look, int(ports["container"])) as why:
            raw["local"] = {what: answers(port) for what, port in ports.items()}
            reached.clear()
            raw["told"] = look.hands.ask_laptop(
                "a new login and a look from outside, by the app on the laptop", ASK_SECONDS
            )
            raw["reached"], raw["why"] = sorted(set(reached)), why
    except (OSError, subprocess.SubprocessError, ValueError) as e:
        raw["why"] = f"{type(e).__name__}: {e}"
    if raw["why"] is None and raw["told"] is None:
        raw["why"] = f"the app told nothing within {ASK_SECONDS:.0f} s"
    return raw
