#!/opt/vault-cube/venvs/torch/bin/python -I
"""Trains a small image classifier on every GPU at once, for a minute or so, and tells how fast each was.

The images are made up: a bright square in one of four corners, which the network learns to name. Nothing is read or downloaded.
"""

import argparse
import json
import sys
import threading
import time

import torch

CORNERS, SIZE, LEARNED = 4, 64, 0.9


def images(count, device):
    """`count` noisy images and the corner of each one's square."""
    corner = torch.randint(CORNERS, (count,), device=device)
    found = torch.randn(count, 3, SIZE, SIZE, device=device) * 0.3
    half = SIZE // 2
    for number in range(CORNERS):
        row, column = divmod(number, 2)
        part = found[corner == number]
        part[:, :, row * half : (row + 1) * half, column * half : (column + 1) * half] += 0.5
        found[corner == number] = part
    return found, corner


def network():
    nn, layers, width = torch.nn, [], 3
    for wider in (32, 64, 128, 256):
        layers += [nn.Conv2d(width, wider, 3, padding=1), nn.BatchNorm2d(wider), nn.ReLU(), nn.MaxPool2d(2)]
        width = wider
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(width * (SIZE // 16) ** 2, CORNERS))


def train(device, seconds, batch, told):
    """Trains until the time is up; puts images a second and the share that was named rightly at last into `told`."""
    try:
        model = network().to(device)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        start, seen, right = time.monotonic(), 0, 0.0
        while time.monotonic() - start < seconds:
            pictures, corner = images(batch, device)
            optimizer.zero_grad()
            with torch.autocast(torch.device(device).type, dtype=torch.bfloat16):
                answer = model(pictures)
                loss = torch.nn.functional.cross_entropy(answer, corner)
            loss.backward()
            optimizer.step()
            right = (answer.argmax(1) == corner).float().mean().item()
            seen += batch
        told[device] = {"imagesPerSecond": round(seen / (time.monotonic() - start)), "right": round(right, 3)}
    except RuntimeError as e:
        told[device] = {"error": str(e).splitlines()[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="how long to train (%(default)s)")
    parser.add_argument("--batch", type=int, default=512, help="images at a time on each GPU (%(default)s)")
    parser.add_argument("--cpu", action="store_true", help="train on the processor instead")
    parser.add_argument("--check", action="store_true", help="only tell what would be used, as JSON")
    args = parser.parse_args()
    devices = ["cpu"] if args.cpu else [f"cuda:{n}" for n in range(torch.cuda.device_count())]
    if args.check:
        print(json.dumps({"demo": "pytorch", "version": torch.__version__, "gpus": torch.cuda.device_count()}))
        return 0
    if not devices:
        print(
            "PyTorch sees no GPU. `nvidia-smi` tells whether the driver does; --cpu trains on the processor.",
            file=sys.stderr,
        )
        return 1
    print(
        f"PyTorch {torch.__version__} trains on {', '.join(devices)} for {args.seconds:g} s; watch it with monitor.sh"
    )
    told = {}
    threads = [threading.Thread(target=train, args=(d, args.seconds, args.batch, told)) for d in devices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for device in devices:
        found = told[device]
        text = found.get("error") or f"{found['imagesPerSecond']} images/s, {found['right']:.0%} named rightly at last"
        print(f"{device}: {text}")
    return 0 if all(told[d].get("right", 0) >= LEARNED for d in devices) else 1


if __name__ == "__main__":
    sys.exit(main())
