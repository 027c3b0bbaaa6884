"""Writes an image to a disk of this box, fed by the laptop through a socket in the job's folder (docs/adr/0012-flash-box.md).

The job holds the disk from its begin to its end. Feeders come and go; what they wrote stays in the ledger. It ends as passed only
when all of the disk was read back behind the last write.
"""

import gc
import json
import threading
import time
from contextlib import ExitStack
from typing import Any

from vcbox.context import Context, JobFailed
from vcbox.eventlog import LogFull
from vcbox.flash import find
from vcbox.flash.door import Door, Guest
from vcbox.flash.ledger import Ledger, read_lines
from vcbox.flash.session import Order, Session
from vcflash.frames import CHUNK_BYTES, Disk, Failed
from vcflash.target import Target

RECORD = "chunks"
PROGRESS_SECONDS = 0.5
# How soon a cancel is noticed while nobody feeds.
LOOK_SECONDS = 0.2
NO_FEEDER = "nobody feeds the image; the app on the laptop goes on where it stood"
STEPS = {
    "wipe": "Make the disk unable to start",
    "write": "Write, and read back",
    "seal": "Write and read back the partition tables",
}
# What no other feeder could mend: it lies with this disk.
OF_THE_DISK = ("target_", "verify_failed", "root_differs")
OF_THE_FEEDER = ("target_mismatch",)


def parse(params: dict[str, Any]) -> Order:
    """JobFailed `spec_invalid` unless these are orders of a flash."""
    size, sealed, root = params.get("virtualSize"), params.get("sealed"), params.get("diskRoot")
    if type(size) is not int or size < 1 or not isinstance(params.get("target"), dict):
        raise JobFailed("spec_invalid", "flash wants a target and the size of the image's disk")
    chunks = Disk(size).chunks
    if (
        not isinstance(sealed, list)
        or not all(type(c) is int and 0 <= c < chunks for c in sealed)
        or 0 not in sealed
    ):
        raise JobFailed("spec_invalid", "the sealed chunks are no list of chunks with chunk 0 in it")
    if root is not None and not isinstance(root, str):
        raise JobFailed("spec_invalid", "the disk hash is neither null nor a word")
    seeded = params.get("seeded", [])
    if not isinstance(seeded, list) or not all(type(c) is int and c in sealed for c in seeded):
        raise JobFailed("spec_invalid", "the chunks of the first-boot settings are not among the sealed ones")
    image = params.get("imageId")
    if not isinstance(image, str) or not image:
        raise JobFailed("spec_invalid", "nothing tells the image from others")
    return Order(size, sealed, seeded, root, image)


class Stages:
    """The job's steps as feeders bring them about: each begins once, in order; one that is cut off goes on with the next feeder."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.stack = ExitStack()
        self.at = -1

    def enter(self, phase: str) -> None:
        ids = list(STEPS)
        number = ids.index(phase)
        if number <= self.at:
            return
        self.stack.close()
        self.at = number
        self.stack.enter_context(self.ctx.step(phase, STEPS[phase]))


class Flash:
    def __init__(self, ctx: Context, order: Order, target: Target, ledger: Ledger, stages: Stages) -> None:
        self.ctx, self.order, self.target, self.ledger, self.stages = ctx, order, target, ledger, stages
        self.door = Door(ctx.folder)
        self.reported = 0.0

    def run(self) -> str:
        """Returns the disk hash when the disk was proved; JobFailed when it cannot be, Cancelled."""
        threading.Thread(target=self._cancel, name="cancel", daemon=True).start()
        while True:
            guest = self._wait()
            session = Session(guest, self.target, self.ledger, self.order, self._told, self.stages.enter)
            try:
                self.ctx.log.note(f"{guest.name} feeds", self.ctx.step_id)
                session.run()
            finally:
                self.door.leave()
            if session.closed:
                return session.root
            self._judge(session.failure)
            # Its buffers are 64 MiB, in a circle with its threads.
            del session
            gc.collect()
            self.ctx.check_cancelled()

    def _wait(self) -> Guest:
        guest = self.door.wait(LOOK_SECONDS)
        if guest:
            return guest
        with self.ctx.waiting("source", NO_FEEDER):
            while not guest:
                self.ctx.check_cancelled()
                guest = self.door.wait(LOOK_SECONDS)
        return guest

    def _judge(self, e: Failed | None) -> None:
        if e is None:
            return
        if e.code.startswith(OF_THE_DISK) and e.code not in OF_THE_FEEDER:
            raise JobFailed(e.code, e.detail)
        self.ctx.log.note(f"what the feeder sent was refused ({e.code}): {e.detail}", self.ctx.step_id)

    def _cancel(self) -> None:
        self.ctx.cancel_event.wait()
        # Until the end: a feeder may be let in a moment after.
        while True:
            self.door.interrupt()
            time.sleep(LOOK_SECONDS)

    def _told(self, answer: dict[str, Any]) -> None:
        what = answer["is"]
        now = time.monotonic()
        if what not in ("written", "zeroed", "read") or now - self.reported < PROGRESS_SECONDS:
            return
        self.reported = now
        self.report(what == "read")

    def report(self, reading: bool) -> None:
        data, read = self.ledger.moved(self.order.sealed)
        try:
            if reading:
                self.ctx.progress("Read back and compare", read, self.order.disk.size, "bytes")
            else:
                self.ctx.progress("Write", data, self.ctx.params.get("dataBytes"), "bytes")
        except LogFull:
            pass  # the main thread meets the same full disk and ends the job


def before(ctx: Context, head: dict[str, Any]) -> dict[int, str | None]:
    """What the newest earlier attempt of this job left in its ledger, if that is still here: a live system forgets it at a power cut,
    and then the feeder asks for the map of the disk itself."""
    for number in range(ctx.spec["attempt"] - 1, 0, -1):
        found = read_lines(ctx.paths.attempt(ctx.spec["job"], number) / RECORD, head)
        if found:
            ctx.log.note(
                f"{len(found)} chunks that attempt {number} wrote are taken to be there, and read back at the end"
            )
            return found
    return {}


def proof(root: str, wanted: str | None, order: Order, seconds: float) -> dict[str, Any]:
    """The check that tells what was found. Its `value` is the disk hash."""
    chunks = f"{order.disk.chunks} chunks of {CHUNK_BYTES} bytes, {order.disk.size} bytes in all"
    return {
        "id": "flash_read_back",
        "title": "The disk holds the image",
        "layer": None,
        "suite": None,
        "verdict": "pass",
        "value": root,
        "unit": None,
        "threshold": wanted,
        "source": None if wanted is None else "manifest.json beside the image",
        "reason": None if wanted else "no manifest lay beside the image: it was compared with what was sent",
        "nextAction": None,
        "evidence": f"read back past the cache: {chunks}",
        "seconds": round(seconds, 3),
    }


def seed_proof(hostname: Any) -> dict[str, Any]:
    """The check that first-boot settings are there; what they are stands nowhere."""
    return {
        **dict.fromkeys(("layer", "suite", "unit", "source", "reason", "nextAction")),
        "id": "flash_seed",
        "title": "First-boot settings",
        "verdict": "pass",
        "value": "written",
        "threshold": "read back as they were written",
        "evidence": f"for {hostname}",
        "seconds": 0,
    }


def run(ctx: Context) -> dict[str, int]:
    """params: `{target: {serial, size, path, name}, imageId, manifest, virtualSize, sealed, seeded, hostname, dataBytes, diskRoot, identity}`. Counts:
    `ok` chunks that an earlier attempt had written, `changed` chunks written by this one. Codes of JobFailed: spec_invalid,
    flash_other_box, target_*, verify_failed, root_differs."""
    began = time.monotonic()
    params = ctx.params
    order = parse(params)
    head = {"v": 1, "target": params["target"], "imageId": order.image, "virtualSize": order.disk.size}
    # As they are read back from a file: tuples and the like would never be equal.
    head = json.loads(json.dumps(head))
    stages = Stages(ctx)
    with ctx.step("take", "Take the disk"):
        find.must_be(params.get("identity"), find.machine())
        told = find.locate(params["target"])
        try:
            target = Target(told, order.disk.size)
        except Failed as e:
            raise JobFailed(e.code, e.detail) from None
        ctx.log.note(
            f"{told.path} is held: serial {told.serial or 'none'}, {target.size} bytes, sectors of {target.block}"
        )
        ledger = Ledger(ctx.folder / RECORD, order.disk, head, before(ctx, head), order.seeded)
        flash = Flash(ctx, order, target, ledger, stages)
    try:
        with stages.stack:
            root = flash.run()
            flash.report(True)
    finally:
        flash.door.close()
        ledger.close()
    ctx.log.emit("check", check=proof(root, order.root, order, time.monotonic() - began))
    if order.seeded:
        ctx.log.emit("check", check=seed_proof(params.get("hostname")))
    return {
        "ok": order.disk.chunks - len(ledger.mine),
        "changed": len(ledger.mine),
        "failed": 0,
        "skipped": 0,
    }
