"""Keeps every GPU at full load for a given time: matrix products on the tensor cores and patterns in memory, all results compared.

python3 soak.py '{"seconds": 120}'

A round of a GPU is some seconds of products, each compared bit by bit with the first one's result, and some blocks of memory read back,
compared and written anew. A product that differs is a silent error: the driver tells nothing of it. A GPU without a round for `stallSeconds`
hangs, and the program ends with 4 and names it; the others' lines would hide that otherwise.
"""

import os
import sys
import threading
import time
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import emit, parameters, seed_of, uuid_of, window

DEFAULTS = {
    "seconds": 86400.0,
    "matrix": 8192,
    "memoryFraction": 0.85,
    "blockMiB": 512,
    "roundSeconds": 2.0,
    "blocksPerRound": 4,
    "stallSeconds": 120.0,
    "progressSeconds": 10.0,
    "devices": None,
    "mib": None,
}
FLIP = 0x5A5A5A5A5A5A5A5A
HUNG, FAILED = 4, 1


class Card:
    """One GPU under load, in a thread of its own."""

    def __init__(self, torch: Any, p: dict[str, Any], number: int, device: Any) -> None:
        self.torch, self.p, self.number, self.device = torch, p, number, device
        self.rounds = self.products = self.checkedMiB = self.wrongProducts = self.wrongWords = 0
        self.moved = time.monotonic()
        self.failed: str | None = None
        self.next = 0

    def sync(self) -> None:
        if self.device.type == "cuda":
            self.torch.cuda.synchronize(self.device)

    def prepare(self) -> None:
        torch, p, device = self.torch, self.p, self.device
        cuda = device.type == "cuda"
        if cuda:
            torch.cuda.set_device(device)
        n = p["matrix"]
        made = torch.Generator(device=device).manual_seed(11)
        self.a, self.b = (
            torch.randn(n, n, device=device, generator=made).to(torch.bfloat16) for _ in range(2)
        )
        self.out = torch.empty_like(self.a)
        self.wanted = torch.mm(self.a, self.b)
        free = torch.cuda.mem_get_info(device)[0] if cuda else p["mib"] * 2**20
        size = p["blockMiB"] * 2**20
        count = max(1, int((free * p["memoryFraction"] - 2.5 * size) // size))
        self.blocks = [torch.empty(size // 8, dtype=torch.int64, device=device) for _ in range(count)]
        self.turns = [0] * count
        for i, block in enumerate(self.blocks):
            self.fill(block, i)
        self.sync()

    def fill(self, block: Any, i: int) -> None:
        """Each word its own address, inverted or scrambled every other time."""
        self.torch.arange(i * block.numel(), (i + 1) * block.numel(), out=block)
        block.bitwise_xor_(seed_of("soak", self.turns[i]) if self.turns[i] % 2 else FLIP)

    def compute(self) -> None:
        """Products for some seconds; each result is compared on the card, the count of differences is read once."""
        torch = self.torch
        wrong = torch.zeros((), dtype=torch.int64, device=self.device)
        deadline = time.monotonic() + self.p["roundSeconds"]
        while time.monotonic() < deadline:
            for _ in range(8):
                torch.mm(self.a, self.b, out=self.out)
                wrong += (self.out != self.wanted).any()
                self.products += 1
            self.sync()
        self.wrongProducts += int(wrong)

    def remember(self) -> None:
        """Some blocks as they were written a while ago, and the next pattern into them."""
        for _ in range(min(self.p["blocksPerRound"], len(self.blocks))):
            i = self.next
            self.next = (i + 1) % len(self.blocks)
            wanted = self.torch.empty_like(self.blocks[i])
            self.fill(wanted, i)
            self.wrongWords += int((self.blocks[i] != wanted).sum())
            self.checkedMiB += self.p["blockMiB"]
            self.turns[i] += 1
            self.fill(self.blocks[i], i)

    def told(self) -> dict[str, Any]:
        names = ("rounds", "products", "checkedMiB", "wrongProducts", "wrongWords")
        return {"gpu": self.number, **{name: getattr(self, name) for name in names}}

    def work(self, until: threading.Event) -> None:
        try:
            while not until.is_set():
                self.compute()
                self.remember()
                self.sync()
                self.rounds += 1
                self.moved = time.monotonic()
        except Exception as e:  # noqa: BLE001 - a thread's end is to be told, whatever it was
            self.failed = f"{type(e).__name__}: {e}"[:500]


def end(code: int) -> None:
    """At once: a thread that hangs in a driver would keep an ordinary end waiting."""
    sys.stderr.flush()
    os._exit(code)


def watch(cards: list[Card], p: dict[str, Any]) -> None:
    """Tells of rounds as they come, and of the first card that fails or hangs."""
    start = told = time.monotonic()
    seen = [0] * len(cards)
    while True:
        now = time.monotonic()
        for card in cards:
            if card.failed or now - card.moved > p["stallSeconds"]:
                why = card.failed or f"no round for {now - card.moved:.0f} s"
                emit("failed", **card.told(), why=why, hung=not card.failed)
                print(f"GPU {card.number}: {why}", file=sys.stderr)
                end(FAILED if card.failed else HUNG)
        if now - told >= p["progressSeconds"] or now - start >= p["seconds"]:
            told = now
            # No line for the runner while nothing got on.
            if [c.rounds for c in cards] != seen:
                seen = [c.rounds for c in cards]
                emit("progress", done=round(min(now - start, p["seconds"]), 1), total=p["seconds"])
                for card in cards:
                    emit("round", **card.told())
        if now - start >= p["seconds"]:
            return
        time.sleep(0.2)


def main() -> None:
    p = parameters(DEFAULTS)
    emit("beat", phase="import")
    import torch

    named = p["devices"] or [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if not named:
        print("PyTorch sees no GPU", file=sys.stderr)
        sys.exit(3)
    cards = [Card(torch, p, i, torch.device(name)) for i, name in enumerate(named)]
    for card in cards:
        card.prepare()
        cuda = card.device.type == "cuda"
        uuid = uuid_of(torch, card.number) if cuda else None
        emit("card", gpu=card.number, uuid=uuid, memoryMiB=len(card.blocks) * p["blockMiB"])
    until = threading.Event()
    threads = [threading.Thread(target=card.work, args=(until,), daemon=True) for card in cards]
    with window("soak"):
        for card, thread in zip(cards, threads, strict=True):
            card.moved = time.monotonic()
            thread.start()
        watch(cards, p)
    until.set()
    for card, thread in zip(cards, threads, strict=True):
        thread.join(p["stallSeconds"])
        if thread.is_alive() or card.failed:
            why = card.failed or "its last round does not end"
            emit("failed", **card.told(), why=why, hung=not card.failed)
            end(FAILED if card.failed else HUNG)
        emit("measured", what="soak", **card.told(), seconds=p["seconds"])
    emit("done")


if __name__ == "__main__":
    main()
