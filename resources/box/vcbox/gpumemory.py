"""GPU memory that is in use, card by card, as nvidia-smi tells it: what it was when a job began, and whether it is that again.

The memory of a killed process is given back by the kernel's module some moments later, or not at all while a card hangs; nothing
but a look tells. nvidia-smi itself may hang on such a card, so nobody here waits for it without a limit.
"""

import os
import shutil
import subprocess
import time

QUERY = ("--query-gpu=index,memory.used", "--format=csv,noheader,nounits")
# What the driver keeps for itself moves by a few MiB; the smallest CUDA context takes some hundred.
TOLERANCE_MIB = 32
POLL_SECONDS = 0.05


class Reading:
    """One question to nvidia-smi, asked when this is made and answered later."""

    def __init__(self) -> None:
        tool = shutil.which("nvidia-smi")
        self.why = "this box has no nvidia-smi"
        self.child: subprocess.Popen[bytes] | None = None
        self.used: dict[str, int] | None = None
        if tool is None:
            return
        try:
            self.child = subprocess.Popen(
                [tool, *QUERY], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        except OSError as e:
            self.why = f"nvidia-smi: {e.strerror}"

    def answer(self, seconds: float) -> dict[str, int] | None:
        """MiB in use by card number; None with the reason in `why`."""
        if self.child is None:
            return self.used
        deadline = time.monotonic() + seconds
        while self.child.poll() is None:
            if time.monotonic() > deadline:
                self.why = f"nvidia-smi did not answer within {seconds:g} s"
                # One that hangs in the kernel stays; it is not waited for.
                self.child.kill()
                return None
            time.sleep(POLL_SECONDS)
        child, self.child = self.child, None
        assert child.stdout
        text = os.read(child.stdout.fileno(), 65536).decode("utf-8", "replace")
        child.stdout.close()
        try:
            rows = [line.split(",") for line in text.splitlines() if line.strip()]
            self.used = {index.strip(): int(mib) for index, mib in rows}
        except ValueError:
            self.used = None
        if child.returncode or not self.used:
            said = text.strip().splitlines()[0][:200] if text.strip() else f"status {child.returncode}"
            self.why, self.used = f"nvidia-smi: {said}", None
        return self.used


def told(used: dict[str, int]) -> str:
    return ", ".join(f"GPU {index} {mib} MiB" for index, mib in sorted(used.items()))


def wait_for(baseline: Reading, seconds: float) -> str:
    """Waits until no card has more in use than at the baseline; returns what came of it, as a sentence for the log."""
    before = baseline.answer(1.0)
    if before is None:
        return f"GPU memory was not measured when the job began: {baseline.why}"
    deadline = time.monotonic() + seconds
    while True:
        look = Reading()
        now = look.answer(max(0.5, deadline - time.monotonic()))
        if now is None:
            return f"GPU memory could not be measured at the end: {look.why}"
        over = {i: mib for i, mib in now.items() if mib > before.get(i, 0) + TOLERANCE_MIB}
        if not over:
            return f"GPU memory is back at its baseline: {told(now)}"
        if time.monotonic() > deadline:
            was = told({i: before.get(i, 0) for i in over})
            return f"GPU memory is not back after {seconds:g} s: {told(over)}; it was {was}. nvidia-smi shows who holds it."
        time.sleep(POLL_SECONDS)
