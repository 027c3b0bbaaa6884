"""Keeps the PCIe link of every card at work: copies from memory of the box, without a kernel on the card and with little power.

`python3 -I linkload.py SECONDS`. Stand-alone; asks the driver's own library (libcuda), so that no framework need be there. Prints
"copying" once all cards are at it, then "done"; what goes wrong is one line on stderr and exit status 3.
"""

import ctypes
import sys
import time

BYTES = 64 * 1024 * 1024
# Two buffers a card are in flight, so that its link never waits for this program.
ROUND = 4


class CudaError(Exception):
    pass


class Card:
    def __init__(self, cuda: ctypes.CDLL, number: int) -> None:
        self.cuda = cuda
        self.context, device = ctypes.c_void_p(), ctypes.c_int()
        self.there, self.here = ctypes.c_uint64(), ctypes.c_void_p()
        self.ask("cuDeviceGet", ctypes.byref(device), number)
        self.ask("cuDevicePrimaryCtxRetain", ctypes.byref(self.context), device)
        self.ask("cuCtxSetCurrent", self.context)
        self.ask("cuMemAlloc_v2", ctypes.byref(self.there), ctypes.c_size_t(BYTES))
        self.ask("cuMemAllocHost_v2", ctypes.byref(self.here), ctypes.c_size_t(BYTES))

    def ask(self, name: str, *args: object) -> None:
        status = getattr(self.cuda, name)(*args)
        if status:
            raise CudaError(f"{name}: error {status} of CUDA")

    def copy(self) -> None:
        self.ask("cuCtxSetCurrent", self.context)
        for _ in range(ROUND):
            self.ask("cuMemcpyHtoDAsync_v2", self.there, self.here, ctypes.c_size_t(BYTES), None)

    def wait(self) -> None:
        self.ask("cuCtxSetCurrent", self.context)
        self.ask("cuCtxSynchronize")


def main(seconds: float) -> int:
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
        status, count = cuda.cuInit(0), ctypes.c_int()
        if status or cuda.cuDeviceGetCount(ctypes.byref(count)):
            raise CudaError(f"cuInit: error {status} of CUDA")
        cards = [Card(cuda, n) for n in range(count.value)]
        for card in cards:
            card.copy()
        print("copying", flush=True)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for card in cards:
                card.wait()
                card.copy()
    except (OSError, AttributeError, CudaError) as e:
        print(e, file=sys.stderr, flush=True)
        return 3
    print("done", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
