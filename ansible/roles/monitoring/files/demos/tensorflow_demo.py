#!/opt/vault-cube/venvs/tensorflow/bin/python -I
"""Trains a small network with TensorFlow on all GPUs together (MirroredStrategy) and tells how fast it was.

The data is made up: points inside and outside of a ring. Nothing is read or downloaded.
"""

import argparse
import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

LEARNED = 0.9


def without_kernels():
    """Compute capabilities of GPUs for which this TensorFlow has no kernels of its own."""
    build = tf.sysconfig.get_build_info().get("cuda_compute_capabilities") or []
    majors = {arch.split("_")[-1][:-1] for arch in build}
    missing = []
    for device in tf.config.list_physical_devices("GPU"):
        capability = tf.config.experimental.get_device_details(device).get("compute_capability")
        if capability and str(capability[0]) not in majors:
            missing.append(".".join(map(str, capability)))
    return missing


def data(count):
    points = tf.random.uniform((count, 2), -1, 1)
    radius = tf.norm(points, axis=1)
    return points, tf.cast((radius > 0.4) & (radius < 0.8), tf.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20, help="how often it sees its data (%(default)s)")
    parser.add_argument("--cpu", action="store_true", help="train on the processor instead")
    parser.add_argument("--check", action="store_true", help="only tell what would be used, as JSON")
    args = parser.parse_args()
    found = tf.config.list_physical_devices("GPU")
    if args.check:
        print(json.dumps({"demo": "tensorflow", "version": tf.__version__, "gpus": len(found)}))
        return 0
    if not args.cpu:
        if not found:
            print(
                "TensorFlow sees no GPU. `nvidia-smi` tells whether the driver does; --cpu trains on the processor.",
                file=sys.stderr,
            )
            return 1
        missing = without_kernels()
        if missing:
            print(
                f"TensorFlow {tf.__version__} has no kernels for compute capability {missing[0]}: what follows may fail or be slow.",
                file=sys.stderr,
            )
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0") if args.cpu else tf.distribute.MirroredStrategy()
    print(f"TensorFlow {tf.__version__} trains on {strategy.num_replicas_in_sync} device(s)")
    with strategy.scope():
        layers = [
            tf.keras.layers.Dense(64, "relu"),
            tf.keras.layers.Dense(64, "relu"),
            tf.keras.layers.Dense(1, "sigmoid"),
        ]
        model = tf.keras.Sequential(layers)
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    points, inside = data(2**15)
    start = time.monotonic()
    history = model.fit(points, inside, batch_size=1024, epochs=args.epochs, verbose=0)
    spent = time.monotonic() - start
    right = history.history["accuracy"][-1]
    print(f"{len(points) * args.epochs / spent:.0f} points/s, {right:.0%} named rightly at last")
    return 0 if right >= LEARNED else 1


if __name__ == "__main__":
    sys.exit(main())
