"""What each GPU does by itself and with its neighbours: kernels for it, matrix products by precision, memory, PCIe, peers.

python3 bench_gpu.py '{"parts": ["arch", "gemm", "memory", "host", "peer"]}'

Every copy is verified: what arrived is compared with what was sent, number by number. PyTorch's word that a peer can be reached proves
nothing (vllm-project/vllm#51513: writes that vanish while CUDA reports success), so it is told beside what really came.
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import emit, parameters, seed_of, uuid_of, window

DEFAULTS = {
    "parts": ["arch", "gemm", "memory", "host", "peer"],
    "matrix": 8192,
    "seconds": 3.0,
    "mib": 1024,
    "repeats": 10,
    "precisions": ["fp32", "tf32", "bf16", "fp16", "fp8"],
    # Tests name ["cpu", "cpu"].
    "devices": None,
}
# fp8 is Ada's, Hopper's and later.
FP8_FROM = (8, 9)
# Of a result's largest value; inputs are normal, so an element of n products is about sqrt(n) large.
TOLERANCE = {"fp32": 1e-4, "tf32": 2e-3, "bf16": 1e-2, "fp16": 2e-3, "fp8": 3e-2}


def sync(torch: Any, *devices: Any) -> None:
    for device in devices:
        if device.type == "cuda":
            torch.cuda.synchronize(device)


def pattern(torch: Any, count: int, seed: int, device: Any) -> Any:
    """The same whole numbers on whichever device they are made: wrapping 64-bit arithmetic."""
    return torch.arange(count, dtype=torch.int64, device=device).mul_(0x9E3779B97F4A7C1).add_(seed)


def timed(torch: Any, work: Callable[[], Any], seconds: float, *devices: Any) -> float:
    """Seconds of one run of `work`, by as many as fill `seconds`; warmed up before."""
    work()
    sync(torch, *devices)
    start = time.monotonic()
    work()
    sync(torch, *devices)
    count = max(3, int(seconds / max(time.monotonic() - start, 1e-6)))
    # In pieces, so that a beat stands for work done.
    pieces, start = 4, time.monotonic()
    each = max(1, count // pieces)
    for _ in range(pieces):
        for _ in range(each):
            work()
        sync(torch, *devices)
        emit("beat")
    return (time.monotonic() - start) / (pieces * each)


def product(torch: Any, precision: str, n: int, device: Any) -> tuple[Any, Any, Callable[[], Any]]:
    """Two matrices as the precision has them, and what multiplies them."""
    torch.manual_seed(7)
    kind = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision, torch.float32)
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    a, b = (torch.randn(n, n, device=device).to(kind) for _ in range(2))
    if precision != "fp8":
        out = torch.empty(n, n, dtype=kind, device=device)
        return a, b, lambda: torch.mm(a, b, out=out)
    a, b = a.to(torch.float8_e4m3fn), b.to(torch.float8_e4m3fn).t().contiguous().t()
    one = torch.ones((), device=device)
    return a, b, lambda: torch._scaled_mm(a, b, scale_a=one, scale_b=one, out_dtype=torch.bfloat16)


def gemm(torch: Any, p: dict[str, Any], number: int, device: Any) -> None:
    capable = torch.cuda.get_device_capability(device) if device.type == "cuda" else (0, 0)
    for precision in p["precisions"]:
        said = {"what": "gemm", "gpu": number, "precision": precision, "matrix": p["matrix"]}
        if precision == "fp8" and capable < FP8_FROM:
            emit("absent", **said, why=f"compute capability {capable[0]}.{capable[1]} has no fp8")
            continue
        try:
            a, b, work = product(torch, precision, p["matrix"], device)
            out = work()
            # A few rows against double precision.
            rows = [0, p["matrix"] // 2, p["matrix"] - 1]
            wanted = a[rows].double() @ b.double() if precision != "fp8" else a.double()[rows] @ b.double()
            off = float((out[rows].double() - wanted).abs().max() / wanted.abs().max())
            with window(f"gemm-{precision}-{number}"):
                spent = timed(torch, work, p["seconds"], device)
        except (RuntimeError, AttributeError, NotImplementedError) as e:
            if "out of memory" in str(e) or "CUDA error" in str(e):
                raise
            emit("absent", **said, why=f"{type(e).__name__}: {e}"[:300])
            continue
        tflops = 2 * p["matrix"] ** 3 / spent / 1e12
        emit("measured", **said, tflops=round(tflops, 3), off=off, right=off < TOLERANCE[precision])


def memory(torch: Any, p: dict[str, Any], number: int, device: Any) -> None:
    """A copy within the card: bytes read and bytes written."""
    count = p["mib"] * 2**20 // 8
    source = pattern(torch, count, seed_of("memory", number), device)
    target = torch.zeros_like(source)
    with window(f"memory-{number}"):
        spent = timed(torch, lambda: target.copy_(source), p["seconds"], device)
    wrong = int((target != pattern(torch, count, seed_of("memory", number), device)).sum())
    emit(
        "measured",
        what="memory",
        gpu=number,
        mib=p["mib"],
        GBps=round(2 * count * 8 / spent / 1e9, 2),
        wrong=wrong,
    )


def host(torch: Any, p: dict[str, Any], number: int, device: Any) -> None:
    """Pinned memory to the card and back, each verified at its end."""
    count, pinned = p["mib"] * 2**20 // 8, device.type == "cuda"
    seed = seed_of("host", number)
    wanted = pattern(torch, count, seed, "cpu")
    here = torch.empty(count, dtype=torch.int64, pin_memory=pinned).copy_(wanted)
    there = torch.zeros(count, dtype=torch.int64, device=device)
    with window(f"host-{number}"):
        spent = timed(torch, lambda: there.copy_(here, non_blocking=True), p["seconds"], device)
    wrong = int((there != pattern(torch, count, seed, device)).sum())
    said = {"gpu": number, "mib": p["mib"], "pinned": pinned}
    emit("measured", what="h2d", **said, GBps=round(count * 8 / spent / 1e9, 2), wrong=wrong)
    here.zero_()
    there = pattern(torch, count, seed, device)
    with window(f"device-{number}"):
        spent = timed(torch, lambda: here.copy_(there, non_blocking=True), p["seconds"], device)
    wrong = int((here != wanted).sum())
    emit("measured", what="d2h", **said, GBps=round(count * 8 / spent / 1e9, 2), wrong=wrong)


def peer(torch: Any, p: dict[str, Any], devices: list[Any]) -> None:
    """From each card to each other: written there, read there, compared there."""
    count = p["mib"] * 2**20 // 8
    for i, one in enumerate(devices):
        for j, other in enumerate(devices):
            if i == j:
                continue
            seed = seed_of("peer", i, j)
            source = pattern(torch, count, seed, one)
            target = torch.zeros(count, dtype=torch.int64, device=other)
            sync(torch, one, other)
            with window(f"peer-{i}-{j}"):
                # The first write is the one that is verified: what a later one mends is no proof.
                target.copy_(source)
                sync(torch, one, other)
                wrong = int((target != pattern(torch, count, seed, other)).sum())
                spent = timed(torch, lambda s=source, t=target: t.copy_(s), p["seconds"] / 3, one, other)
            wrong += int((target != pattern(torch, count, seed, other)).sum())
            claimed = one.type == "cuda" and torch.cuda.can_device_access_peer(j, i)
            emit(
                "measured",
                what="peer",
                source=i,
                target=j,
                mib=p["mib"],
                GBps=round(count * 8 / spent / 1e9, 2),
                wrong=wrong,
                claimed=claimed,
            )
            del source, target


def main() -> None:
    p = parameters(DEFAULTS)
    emit("beat", phase="import")
    import torch

    named = p["devices"] or [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    devices = [torch.device(name) for name in named]
    if not devices:
        print("PyTorch sees no GPU", file=sys.stderr)
        sys.exit(3)
    for number, device in enumerate(devices):
        if device.type == "cuda":
            capability = ".".join(map(str, torch.cuda.get_device_capability(number)))
            name = torch.cuda.get_device_name(number)
            emit("card", gpu=number, card=name, uuid=uuid_of(torch, number), capability=capability)
    if "arch" in p["parts"]:
        emit("measured", what="arch", archs=torch.cuda.get_arch_list(), torch=torch.__version__)
    for part, work in (("gemm", gemm), ("memory", memory), ("host", host)):
        for number, device in enumerate(devices):
            if part in p["parts"]:
                work(torch, p, number, device)
                if device.type == "cuda":
                    torch.cuda.empty_cache()
    if "peer" in p["parts"]:
        peer(torch, p, devices)
    emit("done")


if __name__ == "__main__":
    main()
