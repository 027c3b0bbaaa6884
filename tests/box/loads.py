"""Stand-ins for the load programs: an environment's python that prints what a program would, line by line, and ends as it would.

The lines are those of real runs of these programs (PyTorch 2.11 on a CPU, for their shape), with the numbers of two recorded H100.
"""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from vcbox import load
from vcbox.checks.base import Look
from vcbox.telemetry import FIELDS, Telemetry

from conftest import FIXTURES, REPO

H100 = FIXTURES / "nvidia-smi-2xh100"
PROFILE = json.loads((REPO / "resources" / "profiles" / "two-h100.json").read_text())
CUBE = json.loads((REPO / "resources" / "profiles" / "vault-cube.json").read_text())
UUIDS = ("GPU-987090ad-0a38-5a00-7376-9b2b7602c7f2", "GPU-eb11f94c-f4c4-7d4c-8fe4-fe9ee69de8e4")
Line = dict[str, Any]

# The stand-in for an environment's python: it prints <program>[-<ranks>].jsonl of its folder and ends with the status in .rc beside it.
# A line {"do": "hang"} is not printed: it keeps a processor busy for ever, as a rank that waits in NCCL does.
PYTHON = """#!{python}
import json, os, sys, time
words = sys.argv[1:]
name = next(os.path.basename(w)[:-3] for w in words if w.endswith(".py"))
if "--nproc-per-node" in words:
    name += "-" + words[words.index("--nproc-per-node") + 1]
here = {folder!r}
open(os.path.join(here, "calls"), "a").write(json.dumps([name, words[-1], os.environ.get("CUDA_VISIBLE_DEVICES")]) + chr(10))
path = os.path.join(here, name)
for line in open(path + ".jsonl"):
    if '"do"' in line:
        todo = json.loads(line)
        if todo["do"] == "hang":
            while True:
                pass
        time.sleep(todo["seconds"])
        continue
    sys.stdout.write(line)
    sys.stdout.flush()
sys.stderr.write(open(path + ".err").read() if os.path.exists(path + ".err") else "")
sys.exit(int(open(path + ".rc").read()) if os.path.exists(path + ".rc") else 0)
"""


class Ctx:
    """As much of a job's context as load and telemetry need."""

    def __init__(self) -> None:
        self.tag = ""
        self.folder: Path | None = None
        self.step_id: str | None = None
        self.events: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        self.cancel = threading.Event()
        self.log = self

    def emit(self, kind: str, **fields: Any) -> None:
        with self.lock:
            self.events.append({"kind": kind, "at": time.monotonic(), **fields})

    def note(self, text: str, step: str | None = None) -> None:
        self.emit("log", step=step, stream="note", text=text)

    def cancelled(self) -> bool:
        return self.cancel.is_set()

    def check_cancelled(self) -> None:
        from vcbox.context import Cancelled

        if self.cancelled():
            raise Cancelled

    def of(self, kind: str) -> list[dict[str, Any]]:
        with self.lock:
            return [e for e in self.events if e["kind"] == kind]


class Environments:
    """Layer 4's folder with stand-ins; `says` lays down what a program prints."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("torch", "tensorflow", "vllm"):
            python = folder / name / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.write_text(PYTHON.format(python=sys.executable, folder=str(folder)))
            python.chmod(0o755)

    def says(self, name: str, lines: list[Line], status: int = 0, err: str = "") -> None:
        (self.folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (self.folder / f"{name}.rc").write_text(str(status))
        (self.folder / f"{name}.err").write_text(err)

    def calls(self) -> list[list[Any]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]


def look(
    ctx: Ctx | None = None,
    telemetry: Telemetry | None = None,
    profile: dict[str, Any] | None = None,
    **more: Any,
) -> Look:
    """A look on two recorded H100, whose administrator is nobody of this machine, so that programs run as whoever tests."""
    found = Look(
        admin="nobody-of-here",
        bench=load.Bench(ctx or Ctx(), telemetry, None),
        profile=PROFILE if profile is None else profile,
        **more,
    )
    xml = (H100 / "q-idle.xml").read_text()
    found.seen[("nvidia-smi", "-q", "-x")] = {"status": 0, "out": xml, "err": ""}
    return found


def rows(window: dict[str, Any], seconds: int = 45, cards: int = 2, **change: Any) -> None:
    """Gives a window so many seconds of telemetry at 1 Hz, as cards at full load; `change`: a field's value, or one for each card."""
    usual = {
        "utilization.gpu": 99,
        "memory.used": 27000,
        "memory.total": 81559,
        "temperature.gpu": 61,
        "power.draw": 690.5,
        "power.limit": 700,
        "clocks.current.sm": 1980,
        "clocks.current.memory": 2619,
        "fan.speed": None,
        "pcie.link.gen.current": 5,
        "pcie.link.width.current": 16,
        "clocks_event_reasons.active": "0x0000000000000000",
    }
    begin = window["begin"]
    window["end"] = begin + seconds
    window["rows"] = []
    for second in range(seconds):
        for card in range(cards):
            values = dict(usual)
            # Real cards never draw the same twice.
            values["power.draw"] += second % 3
            for name, value in change.items():
                field = name.replace("__", ".")
                values[field] = value[card] if isinstance(value, tuple) else value
            window["rows"].append([begin + second + 0.5, card, *(values[f] for f in FIELDS)])


def line(at: str, **fields: Any) -> Line:
    return {"at": at, "mono": 1.0, **fields}


def ddp(world: int, speed: float, **change: Any) -> list[Line]:
    """What ddp_resnet50.py prints on so many GPUs."""
    trained = {"steps": 690, "finite": True, "first": 7.01, "last": 0.42}
    out = [line("beat", phase="import")]
    for r in range(world):
        out.append(
            line(
                "rank",
                rank=r,
                world=world,
                backend="nccl",
                pid=100 + r,
                uuid=UUIDS[r],
                card="NVIDIA H100 80GB HBM3",
            )
        )
    out += [line("initialized", rank=r, world=world, parameters=25557032) for r in range(world)]
    out += [line("begin", window=f"ddp-{world}")]
    out += [line("step", phase="measured", rank=r, step=20, of=690, loss=3.1) for r in range(world)]
    out += [line("end", window=f"ddp-{world}")]
    out += [line("trained", rank=r, world=world, **{**trained, **change}) for r in range(world)]
    numbers = {
        "batch": 256,
        "precision": "bf16",
        "imageSize": 224,
        "data": "made up, on the GPU",
        "steps": 690,
    }
    out.append(
        line(
            "measured",
            what="train",
            model="ResNet-50",
            world=world,
            **numbers,
            seconds=45.1,
            imagesPerSecond=speed,
        )
    )
    if world > 1:
        out.append(
            line("measured", what="allreduce", world=world, mib=1024, repeats=20, busGBps=326.1, wrong=0)
        )
    return [*out, *(line("done", rank=r) for r in range(world))]


def bench(**change: Any) -> list[Line]:
    """What bench_gpu.py prints on two GPUs; `change`: "h2d" and others, a dict of fields for GPU 1 or the first pair."""
    out = [
        line("card", gpu=g, card="NVIDIA H100 80GB HBM3", uuid=UUIDS[g], capability="9.0") for g in range(2)
    ]
    archs = change.get("archs") or ["sm_80", "sm_90", "sm_100", "sm_120"]
    out.append(line("measured", what="arch", archs=archs, torch="2.11.0+cu130"))
    speeds = {"fp32": 51.8, "tf32": 372.0, "bf16": 797.5, "fp16": 736.2, "fp8": 1290.1}
    for g in range(2):
        for precision, tflops in speeds.items():
            one = line(
                "measured",
                what="gemm",
                gpu=g,
                precision=precision,
                matrix=8192,
                tflops=tflops,
                off=1e-4,
                right=True,
            )
            out.append(one | (change.get("gemm", {}) if (g, precision) == (1, "bf16") else {}))
    for what, speed in (("memory", 2900.0), ("h2d", 55.2), ("d2h", 54.8)):
        for g in range(2):
            one = line("measured", what=what, gpu=g, mib=1024, pinned=True, GBps=speed, wrong=0)
            out.append(one | (change.get(what, {}) if g else {}))
    for i, j in ((0, 1), (1, 0)):
        one = line("measured", what="peer", source=i, target=j, mib=1024, GBps=370.0, wrong=0, claimed=True)
        out.append(one | (change.get("peer", {}) if i == 0 else {}))
    return [*out, line("done")]


def vram(**change: Any) -> list[Line]:
    numbers = {"testedMiB": 72192, "freeMiB": 80995, "patterns": 6, "rounds": 2, "wrong": 0, "first": []}
    out = [line("measured", what="vram", gpu=g, **(numbers | (change if g else {}))) for g in range(2)]
    return [line("begin", window="vram"), *out, line("end", window="vram"), line("done")]


def soak(seconds: float, **change: Any) -> list[Line]:
    """`change`: of GPU 1's counts."""
    counts = {"rounds": 50, "products": 60000, "checkedMiB": 102400, "wrongProducts": 0, "wrongWords": 0}
    each = [{"gpu": g, **counts, **(change if g else {})} for g in range(2)]
    out = [line("card", gpu=g, uuid=UUIDS[g], memoryMiB=68096) for g in range(2)]
    out += [line("begin", window="soak"), line("progress", done=seconds, total=seconds)]
    out += [line("round", **one) for one in each]
    out += [line("end", window="soak")]
    return [*out, *(line("measured", what="soak", **one, seconds=seconds) for one in each), line("done")]


def tensorflow(gpus: int = 2, **change: Any) -> list[Line]:
    """`change`: of every operation on GPU 1."""
    archs = ["sm_60", "sm_70", "sm_80", "sm_89", "compute_90"]
    out = [line("devices", gpus=gpus, capabilities=["9.0"] * gpus, archs=archs, tensorflow="2.21.0")]
    for g in range(gpus):
        for name in ("graph", "xla", "convolution"):
            where = f"/job:localhost/replica:0/task:0/device:GPU:{g}"
            one = line(
                "operation", gpu=g, name=name, right=True, off=1e-4, where=where, there=True, seconds=0.2
            )
            out.append(one | (change if g else {}))
        out.append(line("memory", gpu=g, wantedMiB=1024, takenMiB=1024, right=True))
    return [*out, line("done")]
