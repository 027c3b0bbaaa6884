"""
A long, narrow link in the cable of a box: frames between a tap here and the cable's end go on late, and no faster than the rate.
It works on frames, so TCP on both sides sees a real round trip. argv: TAP NAMESPACE DEVICE MS MBIT, where NAMESPACE holds DEVICE,
MS is the delay of each way and MBIT the rate of each. Says `ready` and works until its stdin ends.
"""

import collections
import ctypes
import fcntl
import os
import select
import socket
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
CLONE_NEWNET, ETH_P_ALL, OUTGOING = 0x40000000, 3, 4
FRAME = 65_536
# A router's queue: what waits longer than this for its turn is lost, as there.
QUEUE_SECONDS = 0.1


class Way:
    """One direction: when each frame is through."""

    def __init__(self, send, delay: float, rate: float):
        self.send, self.delay, self.rate = send, delay, rate
        self.free = 0.0
        self.waiting: collections.deque[tuple[float, bytes]] = collections.deque()

    def take(self, frame: bytes, now: float) -> None:
        begin = max(self.free, now)
        if begin - now > QUEUE_SECONDS:
            return
        self.free = begin + len(frame) * 8 / self.rate
        self.waiting.append((self.free + self.delay, frame))

    def pass_on(self, now: float) -> None:
        while self.waiting and self.waiting[0][0] <= now:
            try:
                self.send(self.waiting.popleft()[1])
            except OSError:
                # An end that is down loses what comes.
                continue

    def due(self) -> float | None:
        return self.waiting[0][0] if self.waiting else None


def open_tap(name: str) -> int:
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return tap


def open_cable(namespace: str, device: str) -> socket.socket:
    """Enters the namespace for good: what was opened before stays where it was."""
    with open(f"/run/netns/{namespace}") as there:
        if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
    cable = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    cable.bind((device, 0))
    cable.setblocking(False)
    return cable


def read_tap(tap: int) -> bytes | None:
    try:
        return os.read(tap, FRAME)
    except OSError:
        return None


def read_cable(cable: socket.socket) -> bytes | None:
    try:
        frame, (_, _, kind, *_) = cable.recvfrom(FRAME)
    except OSError:
        return None
    return b"" if kind == OUTGOING else frame


def main() -> None:
    name, namespace, device, ms, mbit = sys.argv[1:]
    tap = open_tap(name)
    cable = open_cable(namespace, device)
    delay, rate = float(ms) / 1000, float(mbit) * 1e6
    to_box, from_box = Way(cable.send, delay, rate), Way(lambda frame: os.write(tap, frame), delay, rate)
    print("ready", flush=True)
    while True:
        times = [due for due in (to_box.due(), from_box.due()) if due is not None]
        wait = max(0.0, min(times) - time.monotonic()) if times else None
        readable, _, _ = select.select([tap, cable, sys.stdin], [], [], wait)
        if sys.stdin in readable:
            return
        now = time.monotonic()
        for end, read, way in ((tap, read_tap, to_box), (cable, read_cable, from_box)):
            while end in readable and (frame := read(end)) is not None:
                if frame:
                    way.take(frame, now)
        to_box.pass_on(time.monotonic())
        from_box.pass_on(time.monotonic())


if __name__ == "__main__":
    main()
