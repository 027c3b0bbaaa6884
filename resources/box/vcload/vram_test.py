"""Patterns over most of each GPU's free memory, written everywhere and only then read back and compared: all GPUs at once.

python3 vram_test.py '{"fraction": 0.9, "rounds": 1}'

The patterns are those of memory testers: all bits, their inverse, alternating, and each word its own address, which finds lines that
lead to the wrong place. Between writing and reading lies the whole memory, so that no cache answers.
"""

import os
import sys
import threading
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import emit, parameters, window

DEFAULTS = {"fraction": 0.9, "rounds": 1, "blockMiB": 512, "devices": None, "mib": None}
WORDS = {"zeros": 0, "ones": -1, "0x55": 0x5555555555555555, "0xaa": -0x5555555555555556}
PATTERNS = (*WORDS, "address", "inverse address")


def fill(torch: Any, block: Any, name: str, base: int) -> None:
    if name in WORDS:
        block.fill_(WORDS[name])
        return
    torch.arange(base, base + block.numel(), out=block)
    if name.startswith("inverse"):
        block.bitwise_not_()


def compare(torch: Any, block: Any, name: str, base: int) -> tuple[int, list[str]]:
    """How many words are wrong, and what the first ones held."""
    wanted = torch.empty_like(block)
    fill(torch, wanted, name, base)
    bad = block != wanted
    count = int(bad.sum())
    if not count:
        return 0, []
    places = bad.nonzero().flatten()[:4].tolist()
    first = [
        f"word {base + i}: {int(block[i]) & (2**64 - 1):#018x} for {int(wanted[i]) & (2**64 - 1):#018x}"
        for i in places
    ]
    return count, first


def test(torch: Any, p: dict[str, Any], number: int, device: Any, failed: list[str]) -> None:
    try:
        cuda = device.type == "cuda"
        if cuda:
            torch.cuda.set_device(device)
        free = torch.cuda.mem_get_info(device)[0] if cuda else p["mib"] * 2**20
        size = p["blockMiB"] * 2**20
        # Beside the blocks lie a wanted one and what comparing takes.
        count = int((free * p["fraction"] - 2.5 * size) // size)
        if count < 1:
            failed.append(f"GPU {number}: {free // 2**20} MiB free, too little to test")
            return
        blocks = [torch.empty(size // 8, dtype=torch.int64, device=device) for _ in range(count)]
        wrong, first = 0, []
        for _ in range(p["rounds"]):
            for name in PATTERNS:
                for i, block in enumerate(blocks):
                    fill(torch, block, name, i * block.numel())
                if cuda:
                    torch.cuda.synchronize(device)
                for i, block in enumerate(blocks):
                    bad, seen = compare(torch, block, name, i * block.numel())
                    wrong += bad
                    first += [f"{name}, {text}" for text in seen]
                emit("beat", gpu=number, pattern=name, wrong=wrong)
        emit(
            "measured",
            what="vram",
            gpu=number,
            testedMiB=count * p["blockMiB"],
            freeMiB=free // 2**20,
            patterns=len(PATTERNS),
            rounds=p["rounds"],
            wrong=wrong,
            first=first[:8],
        )
    except Exception as e:  # noqa: BLE001 - a thread's end is to be told, whatever it was
        failed.append(f"GPU {number}: {type(e).__name__}: {e}"[:500])


def main() -> None:
    p = parameters(DEFAULTS)
    emit("beat", phase="import")
    import torch

    named = p["devices"] or [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if not named:
        print("PyTorch sees no GPU", file=sys.stderr)
        sys.exit(3)
    failed: list[str] = []
    with window("vram"):
        threads = [
            threading.Thread(target=test, args=(torch, p, i, torch.device(name), failed))
            for i, name in enumerate(named)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for text in failed:
        print(text, file=sys.stderr)
    if failed:
        sys.exit(1)
    emit("done")


if __name__ == "__main__":
    main()
