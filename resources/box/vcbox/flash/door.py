"""The socket in the job's folder that feeders come to. One is let in at a time; another one is told who feeds, and has to go.

Whoever may connect is decided by the socket's owner and mode: root, and the group that may read the job's folder.
"""

import io
import os
import socket
import threading
from pathlib import Path
from typing import Any

from vcflash import frames
from vcflash.frames import Closed, Failed
from vcflash.pipes import Feed, Interrupted, Voice

NAME = "feed.sock"
# A feeder beats every 2 s. Counted only while a byte of it is waited for, so a slow disk makes no feeder silent.
SILENT_MS = 15_000
GREET_SECONDS = 10.0
# Those that have not said yet who they are.
GREETED_MOST = 8


class Guest:
    """A connection that has said who it is: `key` is the same for all connections of one feeder, `name` is for people."""

    def __init__(self, conn: socket.socket) -> None:
        self.conn = conn
        self.feed = Feed(conn.fileno(), SILENT_MS)
        self.stream = io.BufferedReader(self.feed, 65536)
        self.voice = Voice(conn.fileno())
        self.header: dict[str, Any] = {}
        self.key = self.name = ""

    def introduce(self) -> None:
        """Reads the first frame. Failed(bad_command) where it does not tell who comes, Closed where nothing came in time."""
        late = threading.Timer(GREET_SECONDS, self.hang_up)
        late.start()
        try:
            self.header = frames.read_header(self.stream)
        finally:
            late.cancel()
        told = self.header.get("feeder")
        if not isinstance(told, dict) or not all(
            isinstance(told.get(k), str) and told[k] for k in ("key", "name")
        ):
            raise Failed("bad_command", "a feeder opens with its key and name")
        self.key, self.name = told["key"][:100], told["name"][:200]

    def refuse(self, code: str, detail: str) -> None:
        try:
            self.voice.say({"is": "failed", "code": code, "detail": detail, "chunk": None, "command": "open"})
        except Closed:
            pass
        self.close()

    def hang_up(self) -> None:
        """Ends both directions; whoever reads or writes finds that out. The descriptor stays until `close`."""
        try:
            self.conn.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other end was faster

    def close(self) -> None:
        self.hang_up()
        self.stream.close()
        self.conn.close()


class Door:
    def __init__(self, folder: Path) -> None:
        """Listens at once. The folder's set-group-id bit gives the socket to the group that may read the job."""
        self.path = folder / NAME
        self.path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # By the folder's descriptor: an address has room for 108 bytes only, and a folder of tests may have a longer name.
        at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.socket.bind(f"/proc/self/fd/{at}/{NAME}.new")
        finally:
            os.close(at)
        # Connecting wants the right to write. By rename: whoever sees it can connect.
        work = folder / f"{NAME}.new"
        work.chmod(0o660)
        self.socket.listen(GREETED_MOST)
        work.rename(self.path)
        self.changed = threading.Condition()
        self.inside: Guest | None = None
        self.next: Guest | None = None
        self.places = threading.BoundedSemaphore(GREETED_MOST)
        threading.Thread(target=self._listen, name="door", daemon=True).start()

    def wait(self, seconds: float) -> Guest | None:
        """The next feeder, who is then inside until `leave`; None if none came in time."""
        with self.changed:
            self.changed.wait_for(lambda: self.next, seconds)
            self.inside, self.next = self.next, None
            return self.inside

    def leave(self) -> None:
        with self.changed:
            guest, self.inside = self.inside, None
        if guest:
            guest.close()

    def interrupt(self) -> None:
        """Whoever is inside has to end."""
        with self.changed:
            if self.inside:
                self.inside.feed.wake()

    def close(self) -> None:
        # A listener is woken by a shutdown and not by a close.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.path.unlink(missing_ok=True)

    def _listen(self) -> None:
        while True:
            try:
                conn, _ = self.socket.accept()
            except OSError:
                return
            self.places.acquire()
            threading.Thread(target=self._greet, args=(conn,), name="guest", daemon=True).start()

    def _greet(self, conn: socket.socket) -> None:
        guest = Guest(conn)
        try:
            guest.introduce()
            self._admit(guest)
        except Failed as e:
            guest.refuse(e.code, e.detail)
        except (Closed, Interrupted, OSError):
            guest.close()
        finally:
            self.places.release()

    def _admit(self, guest: Guest) -> None:
        """Lets it in, or throws Failed(feeder_busy). The same feeder again is one whose link was cut: its old connection, which
        nobody may have noticed to be dead, makes room for the new one."""
        with self.changed:
            there = self.next or self.inside
            if there and there.key != guest.key:
                raise Failed("feeder_busy", f"{there.name} feeds this disk")
            if self.next:
                self.next.close()
            self.next = guest
            if self.inside:
                self.inside.hang_up()
            self.changed.notify_all()
