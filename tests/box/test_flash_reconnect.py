"""The disk is looked at again for each feeder: one that was changed while nobody fed is not written to."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from vcbox.flash.door import Guest
from vcbox.flash.ledger import Ledger
from vcbox.flash.session import Order, Session
from vcflash import identity
from vcflash.frames import TargetName
from vcflash.identity import Facts
from vcflash.target import Target

from conftest import Box, events, wait_until
from feeding import IMAGE, KEY, Feeder, orders
from flashing import CHUNK, MIB, Source, Talk, frame, loop_device, read_target, run, stale_file

SIZE = 24 * MIB
SERIAL = "S6XNNE0T1"


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path, 4 * CHUNK + 512, seed=3)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[str]:
    with loop_device(stale_file(tmp_path / "target", SIZE)) as path:
        yield path


def opening(source: Source, path: str, serial: str | None) -> dict[str, Any]:
    target = {"kind": "disk", "path": path, "serial": serial, "size": SIZE}
    fields = {"v": 1, "target": target, "image": None, "virtualSize": source.size, "imageId": IMAGE}
    return {
        **fields,
        "sealed": [0, source.chunks - 1],
        "feeder": {"key": KEY, "name": "engineer on laptop-1"},
    }


def test_a_job_ends_where_its_disk_has_another_size_for_the_next_feeder(
    box: Box, source: Source, disk: str, tmp_path: Path
) -> None:
    folder = box.start("flash_box", orders(source, disk, SIZE))
    made: list[Feeder] = []
    try:
        made.append(first := Feeder(folder))
        first.ask("open", "opened", **opening(source, disk, None))
        first.ask("wipe", "wiped")
        first.write(source, [1, 2])
        first.wait_written(2)
        first.ask("flush", "flushed")
        first.leave()
        wait_until(
            "the job to wait for another",
            lambda: (found := events(folder)[-1])["kind"] == "waiting" and found["state"] == "begin",
        )
        os.truncate(tmp_path / "target", SIZE + MIB)
        run("losetup", "--set-capacity", disk)
        before = read_target(disk, SIZE)
        made.append(second := Feeder(folder))
        second.send("open", **opening(source, disk, None))
        second.send("wipe")
        second.write(source, [3])
        assert f"{SIZE + MIB} bytes" in second.refused("target_size")
        assert second.of("failed")[0]["command"] == "open"
        assert not second.of("opened")
        last = box.wait(folder, 60)[-1]
        assert (last["outcome"], last["code"]) == ("failed", "target_size")
        assert read_target(disk, SIZE) == before
    finally:
        for feeder in made:
            feeder.leave()
        box.stop_all()


class Seat(Talk):
    """A feeder at the other end of a session of this process, where /sys can be told to say something else."""

    def __init__(self, target: Target, ledger: Ledger, order: Order, header: dict[str, Any]) -> None:
        self.socket, there = socket.socketpair()
        self.guest = Guest(there)
        super().__init__(self.socket.makefile("rb"))
        self.send("open", **header)
        self.guest.introduce()
        self.session = Session(self.guest, target, ledger, order, lambda _: None, lambda _: None)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        """As the job does it: whoever is refused is shown out."""
        try:
            self.session.run()
        finally:
            self.guest.close()

    def send(self, do: str, payload: bytes = b"", **fields: Any) -> None:
        try:
            self.socket.sendall(frame(do, payload, fields))
        except OSError:
            pass  # it ended; the answers say why

    def leave(self) -> None:
        """Also waits for the session's end: the target is nobody's then."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it was shown out
        self.thread.join(60)
        assert not self.thread.is_alive()
        self.socket.close()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda facts: facts._replace(serials=frozenset({"S6XNNE0T2"})), "target_serial"),
        (lambda facts: facts._replace(sequence=facts.sequence + 1), "target_serial"),
        (lambda facts: facts._replace(size=0), "target_missing"),
        (lambda _: None, "target_missing"),
    ],
    ids=["another serial", "the same serial, but plugged in anew", "no medium", "gone"],
)
def test_a_disk_that_was_changed_between_two_feeders_is_not_written(
    monkeypatch: pytest.MonkeyPatch,
    source: Source,
    disk: str,
    tmp_path: Path,
    change: Callable[[Facts], Facts | None],
    code: str,
) -> None:
    """A loop device has no serial; that alone is made up, and what /sys says after the change."""
    real = identity.look
    changed = False

    def look(device: int) -> Facts | None:
        facts = real(device)
        assert facts
        # Not every kernel numbers its disks.
        mine = facts._replace(serials=frozenset({SERIAL}), sequence=facts.sequence or 1)
        return change(mine) if changed else mine

    monkeypatch.setattr(identity, "look", look)
    order = Order(source.size, [0, source.chunks - 1], [], None, IMAGE)
    target = Target(TargetName("disk", disk, SERIAL, SIZE), source.size)
    ledger = Ledger(tmp_path / "chunks", order.disk, {"v": 1}, {}, order.seeded)
    header = opening(source, disk, SERIAL)
    try:
        first = Seat(target, ledger, order, header)
        first.wait("opened")
        first.ask("wipe", "wiped")
        first.send("data", source.bytes_of(2), chunk=2, bytes=source.length(2), encoding="plain")
        first.wait("written")
        first.ask("flush", "flushed")
        first.leave()
        # Nothing has changed: it is let on.
        same = Seat(target, ledger, order, header)
        assert same.wait("opened")[0]["have"] == 1
        same.leave()
        before = read_target(disk, SIZE)
        assert before[2 * CHUNK : 3 * CHUNK] == source.bytes_of(2)
        changed = True
        other = Seat(target, ledger, order, header)
        other.send("wipe")
        other.send("data", source.bytes_of(0), chunk=0, bytes=source.length(0), encoding="plain")
        (said,) = other.wait("failed")
        other.leave()
        assert (said["code"], said["command"]) == (code, "open")
        assert not other.of("opened")
        assert other.session.failure and other.session.failure.code == code
        assert read_target(disk, SIZE) == before
    finally:
        ledger.close()
        target.close()
