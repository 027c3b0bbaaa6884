"""The same ResNet-50 in the plainest loop that trains it, for comparison with resources/box/vcload/ddp_resnet50.py: no line, no loss read.

torchrun --standalone --nproc-per-node N tests/bench/plain_ddp.py [batch] [seconds]
"""

import json
import math
import os
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist

sys.path.insert(
    0, str(Path(__file__).resolve().parents[2] / "resources" / "box" / "vcload")
)
from resnet import resnet50


def main() -> None:
    batch = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 45.0
    local = int(os.environ["LOCAL_RANK"])
    torch.cuda.set_device(local)
    dist.init_process_group("nccl")
    torch.backends.cudnn.benchmark = True
    model = resnet50().to("cuda", memory_format=torch.channels_last)
    model = torch.nn.parallel.DistributedDataParallel(model, device_ids=[local])
    optimizer = torch.optim.SGD(
        model.parameters(), 0.02, momentum=0.9, weight_decay=5e-5
    )
    images = torch.randn(batch, 3, 224, 224, device="cuda").to(
        torch.bfloat16, memory_format=torch.channels_last
    )
    labels = torch.randint(1000, (batch,), device="cuda")

    def steps(count: int) -> float:
        torch.cuda.synchronize()
        dist.barrier()
        start = time.monotonic()
        for _ in range(count):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cuda", dtype=torch.bfloat16):
                loss = torch.nn.functional.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
        torch.cuda.synchronize()
        dist.barrier()
        return time.monotonic() - start

    steps(20)
    count = torch.tensor(math.ceil(seconds / (steps(10) / 10)), device="cuda")
    dist.broadcast(count, 0)
    spent = steps(int(count))
    world = dist.get_world_size()
    if dist.get_rank() == 0:
        rate = world * batch * int(count) / spent
        print(
            json.dumps(
                {
                    "at": "measured",
                    "what": "plain",
                    "world": world,
                    "imagesPerSecond": round(rate, 1),
                }
            )
        )
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
