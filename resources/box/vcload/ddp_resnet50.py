"""ResNet-50 trained by DistributedDataParallel on made-up images: a rank a GPU, loss and images/s told, then NCCL's all-reduce.

torchrun --standalone --nproc-per-node 2 ddp_resnet50.py '{"batch": 256, "seconds": 45}'

Batch (a GPU), precision, image size and data are fixed by its parameters and told with the result. The images lie on the GPU: what is
measured is the cards and what is between them, no disk and no decoder.
"""

import math
import os
import sys
import time
from collections import deque
from contextlib import AbstractContextManager, nullcontext
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from allreduce import join, measure, settle
from common import emit, parameters, window

DEFAULTS = {
    "batch": 256,
    "imageSize": 224,
    "classes": 1000,
    "precision": "bf16",
    "warmupSteps": 20,
    "seconds": 45.0,
    "lossEvery": 20,
    "allreduceMiB": 1024,
    "allreduceRepeats": 20,
    "device": "cuda",
}
# As many batches lie on the GPU, one after another. The network learns them by heart, so that the loss falls.
BATCHES = 4
LEARNING_RATE = 0.02
# So many steps may be given to the GPU beyond the one it has finished: enough for it never to wait, few enough that a beat is a sign of life.
AHEAD = 2
PRECISIONS = ("bf16", "fp16", "tf32", "fp32")


class Losses:
    """The loss of every step, copied beside the computing; what is told of it was finished by the GPU."""

    def __init__(self, torch: Any, device: Any, steps: int) -> None:
        self.torch, self.cuda = torch, device.type == "cuda"
        self.host = torch.zeros(steps, pin_memory=self.cuda)
        self.waiting: deque[Any] = deque()
        self.given = self.finished = 0

    def put(self, loss: Any) -> None:
        """Takes the loss of a step; waits until at most AHEAD steps are unfinished."""
        self.host[self.given].copy_(loss.detach(), non_blocking=True)
        self.given += 1
        if not self.cuda:
            self.finished = self.given
            return
        event = self.torch.cuda.Event(blocking=True)
        event.record()
        self.waiting.append(event)
        while len(self.waiting) > AHEAD:
            self.waiting.popleft().synchronize()
            self.finished += 1

    def last(self) -> float:
        return float(self.host[max(self.finished - 1, 0)])

    def all(self) -> list[float]:
        """To be asked after a synchronize."""
        return [float(x) for x in self.host[: self.given]]


class Training:
    """The model in DDP with its optimizer and data, on one rank's device."""

    def __init__(self, torch: Any, p: dict[str, Any], rank: int, device: Any) -> None:
        from resnet import resnet50

        self.torch, self.p, self.rank, self.device = torch, p, rank, device
        cuda = device.type == "cuda"
        torch.manual_seed(1)
        torch.backends.cudnn.benchmark = True
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = p["precision"] != "fp32"
        model = resnet50(p["classes"]).to(device, memory_format=torch.channels_last)
        self.model = torch.nn.parallel.DistributedDataParallel(
            model, device_ids=[device.index] if cuda else None, gradient_as_bucket_view=True
        )
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), LEARNING_RATE, momentum=0.9, weight_decay=5e-5
        )
        self.half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(p["precision"])
        self.scaler = torch.amp.GradScaler(device.type, enabled=p["precision"] == "fp16")
        made = torch.Generator(device=device).manual_seed(100 + rank)
        shape = (p["batch"], 3, p["imageSize"], p["imageSize"])
        self.data = []
        for _ in range(BATCHES):
            images = torch.randn(shape, device=device, generator=made)
            images = images.to(self.half or torch.float32, memory_format=torch.channels_last)
            labels = torch.randint(p["classes"], (p["batch"],), device=device, generator=made)
            self.data.append((images, labels))

    def precision(self) -> AbstractContextManager[Any]:
        return self.torch.autocast(self.device.type, dtype=self.half) if self.half else nullcontext()

    def step(self, number: int) -> Any:
        """Forward, loss, backward with DDP's all-reduce of gradients, optimizer: the loss, still on the GPU."""
        images, labels = self.data[number % BATCHES]
        self.optimizer.zero_grad(set_to_none=True)
        with self.precision():
            loss = self.torch.nn.functional.cross_entropy(self.model(images), labels)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss

    def run(self, steps: int, phase: str) -> list[float]:
        """So many steps; the losses of all of them."""
        losses = Losses(self.torch, self.device, steps)
        every = self.p["lossEvery"]
        start = time.monotonic()
        for number in range(steps):
            losses.put(self.step(number))
            if (number + 1) % every == 0:
                rate = (number + 1) * self.p["batch"] / (time.monotonic() - start)
                emit(
                    "step",
                    phase=phase,
                    rank=self.rank,
                    step=number + 1,
                    of=steps,
                    loss=round(losses.last(), 4),
                    imagesPerSecond=round(rate, 1),
                )
        settle(self.torch, self.device)
        return losses.all()


def steps_for(torch: Any, train: Training, seconds: float) -> int:
    """How many steps take so long, by a few timed ones; the same on every rank."""
    count = max(4, train.p["warmupSteps"] // 2)
    start = time.monotonic()
    train.run(count, "warm-up")
    one = (time.monotonic() - start) / count
    steps = torch.tensor(max(4, math.ceil(seconds / one)), device=train.device)
    torch.distributed.broadcast(steps, 0)
    return int(steps)


def main() -> None:
    p = parameters(DEFAULTS)
    if p["precision"] not in PRECISIONS:
        print(f"precision is one of {', '.join(PRECISIONS)}", file=sys.stderr)
        sys.exit(2)
    emit("beat", phase="import")
    import torch
    import torch.distributed
    import torch.nn.parallel

    rank, world, device = join(torch, p["device"])
    train = Training(torch, p, rank, device)
    settle(torch, device)
    emit("initialized", rank=rank, world=world, parameters=sum(x.numel() for x in train.model.parameters()))
    before = train.run(p["warmupSteps"], "warm-up")
    steps = steps_for(torch, train, p["seconds"])
    settle(torch, device)
    start = time.monotonic()
    if rank == 0:
        with window(f"ddp-{world}"):
            losses = train.run(steps, "measured")
    else:
        losses = train.run(steps, "measured")
    # run() ends when all ranks have ended.
    spent = time.monotonic() - start
    few = min(5, len(before), len(losses))
    emit(
        "trained",
        rank=rank,
        world=world,
        steps=steps,
        finite=all(map(math.isfinite, [*before, *losses])),
        first=round(sum(before[:few]) / few, 4),
        last=round(sum(losses[-few:]) / few, 4),
    )
    if rank == 0:
        emit(
            "measured",
            what="train",
            model="ResNet-50",
            world=world,
            batch=p["batch"],
            precision=p["precision"],
            imageSize=p["imageSize"],
            data="made up, on the GPU",
            steps=steps,
            seconds=round(spent, 3),
            imagesPerSecond=round(world * p["batch"] * steps / spent, 1),
            peakMiB=torch.cuda.max_memory_allocated(device) // 2**20 if device.type == "cuda" else None,
        )
    del train
    if world > 1 and p["allreduceMiB"]:
        measure(torch, rank, world, device, p["allreduceMiB"], p["allreduceRepeats"])
    emit("done", rank=rank)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
