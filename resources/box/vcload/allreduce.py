"""The process group of torchrun's ranks, and NCCL's all-reduce over it: its sums verified, its bandwidth measured. ddp_resnet50.py's."""

import os
import time
from typing import Any

from common import emit, uuid_of


def join(torch: Any, wanted: str) -> tuple[int, int, Any]:
    """Joins the process group: `(rank, world, device)`. gloo on the CPU where that is asked for, which proves nothing of a GPU."""
    # As torchrun sets them; without it there is one rank.
    alone = {
        "RANK": "0",
        "WORLD_SIZE": "1",
        "LOCAL_RANK": "0",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "29541",
    }
    for name, value in alone.items():
        os.environ.setdefault(name, value)
    rank, local = int(os.environ["RANK"]), int(os.environ["LOCAL_RANK"])
    if wanted == "cuda":
        torch.cuda.set_device(local)
        device, backend = torch.device("cuda", local), "nccl"
    else:
        device, backend = torch.device("cpu"), "gloo"
    torch.distributed.init_process_group(backend)
    world = torch.distributed.get_world_size()
    found = {"rank": rank, "world": world, "backend": torch.distributed.get_backend(), "pid": os.getpid()}
    if wanted == "cuda":
        found["card"] = torch.cuda.get_device_name(local)
        found["uuid"] = uuid_of(torch, local)
        found["nccl"] = ".".join(map(str, torch.cuda.nccl.version()))
    emit("rank", **found, torch=torch.__version__)
    return rank, world, device


def settle(torch: Any, device: Any) -> None:
    """What was asked of this rank's GPU is done, and all ranks are here."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.distributed.barrier(device_ids=[device.index])
    else:
        torch.distributed.barrier()


def measure(torch: Any, rank: int, world: int, device: Any, mib: int, repeats: int) -> None:
    """Rank 0 emits `measured` `allreduce`: bus bandwidth is 2 (n − 1) / n × bytes / s, as nccl-tests has it; wrong: of all ranks."""
    data = torch.full((mib * 2**20 // 4,), float(rank + 1), device=device)
    torch.distributed.all_reduce(data)
    # Small whole numbers: the sum is exact whatever the order.
    wrong = (data != world * (world + 1) / 2).sum()
    torch.distributed.all_reduce(wrong)
    data.zero_()
    for _ in range(3):
        torch.distributed.all_reduce(data)
    settle(torch, device)
    emit("beat", phase="all-reduce")
    start = time.monotonic()
    for _ in range(repeats):
        torch.distributed.all_reduce(data)
    settle(torch, device)
    spent = (time.monotonic() - start) / repeats
    if rank == 0:
        size = data.numel() * 4
        gbps = 2 * (world - 1) / world * size / spent / 1e9
        emit(
            "measured",
            what="allreduce",
            world=world,
            mib=mib,
            repeats=repeats,
            busGBps=round(gbps, 2),
            wrong=int(wrong),
        )
