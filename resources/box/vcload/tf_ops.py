"""TensorFlow on every GPU: listed, a graph, XLA and a convolution computed and compared with the processor's result, memory taken.

python3 tf_ops.py '{"memoryMiB": 1024}'

A build without kernels for a card may still list it: only what was computed there, and rightly, counts.
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import emit, parameters, window

DEFAULTS = {"memoryMiB": 1024, "matrix": 2048, "cpu": False}


def operations(tf: Any, n: int) -> dict[str, tuple[Callable[[], Any], float]]:
    """Each by its name, with how far its result may be off beside the largest value."""
    made = tf.random.Generator.from_seed(5)
    with tf.device("/cpu:0"):
        a, b = made.normal((n, n)), made.normal((n, n))
        images, kernel = made.normal((8, 64, 64, 16)), made.normal((3, 3, 16, 32))

    @tf.function
    def graph() -> Any:
        return tf.matmul(a, b)

    @tf.function(jit_compile=True)
    def xla() -> Any:
        return tf.reduce_sum(tf.nn.relu(tf.matmul(a, b)), axis=1)

    @tf.function
    def convolution() -> Any:
        return tf.nn.conv2d(images, kernel, 1, "SAME")

    # TF32 multiplies with 10 bits.
    return {"graph": (graph, 5e-3), "xla": (xla, 5e-3), "convolution": (convolution, 5e-3)}


def placed(result: Any, device: str) -> bool:
    """Whether the result lies on "/gpu:0"; TensorFlow names it "…/device:GPU:0"."""
    return str(result.device).endswith(f"device:{device.strip('/').upper()}")


def main() -> None:
    p = parameters(DEFAULTS)
    emit("beat", phase="import")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    for gpu in found:
        tf.config.experimental.set_memory_growth(gpu, True)
    details = [tf.config.experimental.get_device_details(gpu) for gpu in found]
    capabilities = [".".join(map(str, d.get("compute_capability") or ())) for d in details]
    build = tf.sysconfig.get_build_info()
    archs = list(build.get("cuda_compute_capabilities") or [])
    emit("devices", gpus=len(found), capabilities=capabilities, archs=archs, tensorflow=tf.__version__)
    devices = ["/cpu:0"] if p["cpu"] else [f"/gpu:{i}" for i in range(len(found))]
    works = operations(tf, p["matrix"])
    for number, device in enumerate(devices):
        for name, (work, tolerance) in works.items():
            with tf.device("/cpu:0"):
                wanted = work()
            start = time.monotonic()
            try:
                with window(f"{name}-{number}"), tf.device(device):
                    result = work()
                    off = float(tf.reduce_max(tf.abs(result - wanted)) / tf.reduce_max(tf.abs(wanted)))
            except Exception as e:  # noqa: BLE001 - whatever a build without kernels raises
                text = f"{type(e).__name__}: {e}".splitlines()[0][:400]
                emit("operation", gpu=number, name=name, right=False, why=text)
                continue
            emit(
                "operation",
                gpu=number,
                name=name,
                right=off < tolerance,
                off=off,
                where=str(result.device),
                there=placed(result, device),
                seconds=round(time.monotonic() - start, 3),
            )
        try:
            with tf.device(device):
                words = tf.fill((p["memoryMiB"] * 2**20 // 4,), 1.0)
                total = float(tf.reduce_mean(words))
            taken = None if p["cpu"] else tf.config.experimental.get_memory_info(f"GPU:{number}")["current"]
            emit(
                "memory",
                gpu=number,
                wantedMiB=p["memoryMiB"],
                takenMiB=None if taken is None else taken // 2**20,
                right=total == 1.0,
            )
            del words
        except Exception as e:  # noqa: BLE001
            text = f"{type(e).__name__}: {e}".splitlines()[0][:400]
            emit("memory", gpu=number, wantedMiB=p["memoryMiB"], takenMiB=None, right=False, why=text)
    emit("done")


if __name__ == "__main__":
    main()
