"""One feeder's conversation with the writer, on a disk that the job holds, with a ledger of what the disk has."""

import os
from collections.abc import Callable
from typing import Any

from vcbox.eventlog import boot_id
from vcbox.flash.door import Guest
from vcbox.flash.ledger import Differs, Ledger
from vcflash import frames
from vcflash.engine import Engine
from vcflash.frames import ENCODINGS, OVER, Disk, Failed, Have, Open, Seal
from vcflash.mac import tags
from vcflash.pipes import Voice
from vcflash.serve import Writer
from vcflash.target import Target


class Order:
    """What the job was started for: nobody who feeds can make it another disk, size or set of sealed chunks."""

    def __init__(
        self, virtual_size: int, sealed: list[int], seeded: list[int], root: str | None, image: str
    ) -> None:
        """`seeded`: those of the sealed chunks that hold first-boot settings in the end. `root`: the disk hash that the manifest
        says; None without one. `image`: a word that tells it from all others."""
        self.image = image
        self.disk = Disk(virtual_size)
        self.sealed = tuple(sorted(set(sealed)))
        self.seeded = frozenset(seeded)
        self.root = root
        self.meant = (image, virtual_size, self.sealed)


class Witness(Voice):
    """Keeps the ledger before it speaks: what was done counts, whether or not anybody still listens."""

    def __init__(self, voice: Voice, ledger: Ledger, told: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(voice.fd)
        self.ledger, self.told = ledger, told

    def say(self, header: dict[str, Any]) -> None:
        try:
            self.ledger.answered(header)
        except Differs as e:
            raise Failed("verify_failed", str(e), header["chunk"]) from None
        self.told(header)
        super().say(header)


class Session(Writer):
    """`run` returns when the feeder is done or gone; `failure` is then what went wrong, if something did, and `closed` whether the
    target was proved and let go. `on_phase` is told `wipe`, `write`, `verify` and `seal` as they begin, `told` each answer."""

    def __init__(
        self,
        guest: Guest,
        target: Target,
        ledger: Ledger,
        order: Order,
        told: Callable[[dict[str, Any]], None],
        on_phase: Callable[[str], None],
    ) -> None:
        super().__init__(guest.feed, Witness(guest.voice, ledger, told), guest.stream)
        self.guest = guest
        self.opening = guest.header
        self.first: dict[str, Any] | None = guest.header
        self.target, self.ledger, self.order, self.on_phase = target, ledger, order, on_phase
        self.failure: Failed | None = None
        # What the image has where first-boot settings come; the feeder alone knows it.
        self.image: dict[int, str | None] = {}
        # The disk hash, as proved; '' before.
        self.root = ""

    def _header(self) -> dict[str, Any]:
        first, self.first = self.first, None
        return first if first is not None else frames.read_header(self.stream)

    def _open(self, command: Open) -> None:
        """The serial is looked at again for each feeder: a disk can be changed while nobody feeds."""
        told, order = self.target.told, self.order
        if command.image is not None:
            raise Failed("bad_command", "the image is on the laptop, so nothing can be copied here")
        meant = (command.target.kind, command.target.serial, command.target.size)
        if meant != ("disk", told.serial, told.size):
            raise Failed(
                "target_mismatch",
                f"this job writes to the disk {told.serial or told.path} of {told.size} bytes",
            )
        # Chunks of two images on one disk would be neither.
        if (self.opening.get("imageId"), command.virtual_size, command.sealed) != order.meant:
            raise Failed("image_mismatch", "this job was started for another image")
        self.target.check()
        self.disk, self.sealed = order.disk, frozenset(order.sealed)
        mac = tags(command.mac)
        self.ledger.tagged_by(command.mac if mac else None)
        self.engine = Engine(self.target, None, order.disk, self.voice.say, self.feed.wake, mac)
        self.voice.say(
            {
                "is": "opened",
                "size": self.target.size,
                "logicalBlock": self.target.block,
                "direct": self.target.direct,
                "pid": os.getpid(),
                "boot": boot_id(),
                "encodings": [*ENCODINGS, OVER] if mac else list(ENCODINGS),
                "mac": mac is not None,
                "have": len(self.ledger.written),
            }
        )

    def _have(self, command: Have) -> dict[str, Any]:
        chunks = self.ledger.have(command.chunk, command.count)
        return {"is": "have", "chunk": command.chunk, "count": command.count, "chunks": chunks}

    def _allow(self, chunk: int, count: int) -> None:
        super()._allow(chunk, count)
        self.on_phase("seal" if self.open_seal else "write")
        self.ledger.begun(chunk, count)

    def _wipe(self) -> None:
        self.on_phase("wipe")
        super()._wipe()

    def _sync(self) -> None:
        with self.ledger.syncing():
            super()._sync()

    def _seal(self, command: Seal) -> None:
        if command.image.keys() != self.order.seeded:
            raise Failed(
                "bad_command", "the image's hashes are wanted of the first-boot settings' chunks, of each"
            )
        self.image = command.image
        super()._seal(command)

    def _prove(self) -> None:
        """The job's own judgement beside the app's: every chunk was read back since it was written, and all of them are the image; of the
        first-boot settings the feeder tells what the image had there."""
        if not self.open_seal:
            raise Failed("order", "close comes after seal: without it the disk starts nothing")
        lacking = self.ledger.lacking()
        if not self.ledger.knows(self.sealed):
            raise Failed("order", "not all of the sealed chunks were written")
        if lacking:
            raise Failed("order", f"{lacking} chunks were not read back")
        found = self.ledger.root(self.image)
        if self.order.root not in (None, found):
            # It could start a machine by now, with who knows what.
            self._destroy()
            raise Failed("root_differs", f"the disk hash is {found}, not {self.order.root}")
        self.root = found

    def _end(self, e: Failed | None) -> int:
        if e is None and not (self.engine and isinstance(self.engine.failure, Failed)):
            # Nobody is to be told anything, and a thread may be stuck telling it.
            self.guest.hang_up()
        status = super()._end(e)
        failure = self.engine.failure if self.engine else None
        self.failure = failure if isinstance(failure, Failed) else e
        self.ledger.forget()
        return status
