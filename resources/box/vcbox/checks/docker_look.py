"""Containers with GPUs: all of them, one a GPU at once, then all sharing; run once a job for the checks of T5. Not a check itself.

Every container runs nvidia-smi, which NVIDIA's runtime puts into it, from whatever image is on the box. They carry the job's label, so that a
cancel removes them, and are removed here in any case.
"""

import time
from collections.abc import Sequence

from vcbox import process
from vcbox.checks import gpu_look, l1_docker_container, load_look
from vcbox.checks.base import Look, Raw, Result, judged, not_run, said

SUITE = "docker-gpu"
ADVICE = "Look at `journalctl -u docker`, then run layer 3 again."
SMI = "/usr/bin/nvidia-smi"
# Loops, so that all containers run at the same time.
LOOP = ("--query-gpu=uuid", "--format=csv,noheader", "-l", "1")
WAIT_SECONDS = 60.0
POLL_SECONDS = 0.25


def docker(*words: str, timeout: float = 120.0) -> Raw:
    status, out, err = process.capture(["docker", *words], timeout)
    return {"status": status, "out": out, "err": err}


def uuids(out: str) -> list[str]:
    """Each card that was named, in order, once."""
    return list(dict.fromkeys(line.strip() for line in out.splitlines() if line.startswith("GPU-")))


def device(uuid: str) -> str:
    """For --gpus."""
    return f"device={uuid}"


def together(look: Look, image: str, wanted: Sequence[str]) -> Raw:
    """
    One container for each value of --gpus, all at once: `{started, running, seen: [cards of each], errors}`. `running`: how many ran at the same
    moment, after each had named its cards.
    """
    label = f"vault-cube.job={look.job}"
    ids: list[str] = []
    errors: list[str] = []
    try:
        for gpus in wanted:
            base = ("run", "-d", "--pull", "never", "--network", "none", "--label", label)
            base += ("-e", "NVIDIA_DRIVER_CAPABILITIES=utility", "--gpus", gpus, "--entrypoint", SMI)
            told = docker(*base, image, *LOOP)
            if told["status"]:
                errors.append(said(told))
            else:
                ids.append(told["out"].strip())
        deadline = time.monotonic() + WAIT_SECONDS
        seen: list[list[str]] = []
        while time.monotonic() < deadline:
            if look.bench:
                look.bench.ctx.check_cancelled()
            seen = [uuids(docker("logs", id)["out"]) for id in ids]
            if all(seen):
                break
            time.sleep(POLL_SECONDS)
        now = [docker("inspect", "-f", "{{.State.Running}}", id)["out"].strip() for id in ids]
        said_all = [docker("logs", id) for id in ids]
        errors += [
            said(raw)
            for raw, state in zip(said_all, now, strict=True)
            if state != "true" or not uuids(raw["out"])
        ]
        return {"started": len(ids), "running": now.count("true"), "seen": seen, "errors": errors}
    finally:
        for id in ids:
            docker("rm", "-f", id)


def gather(look: Look) -> Raw:
    """`{refused, smi, gpus, images, image, cards, all, pinned, shared}`."""

    def run(gpus: int) -> Raw:
        images, image = l1_docker_container.image_of(look)
        cards = [gpu["uuid"] for gpu in gpu_look.gather(look)["query"]["gpus"]]
        raw: Raw = {"gpus": gpus, "images": images, "image": image, "cards": cards}
        if image is None:
            return raw
        raw["all"] = together(look, image, ["all"])
        raw["pinned"] = together(look, image, [device(uuid) for uuid in cards])
        raw["shared"] = together(look, image, ["all"] * gpus)
        return raw

    return load_look.gather(look, "docker", run, load=False)


def stop(raw: Raw) -> Result | None:
    if found := load_look.stop(raw):
        return found
    if raw["images"]["status"]:
        return judged(False, said(raw["images"]), "Docker answers", "Run layer 1, then layer 3 again.")
    if raw["image"] is None:
        return not_run(
            "no container image is on the box", "Fetch a bundle with an image, then run the suite again."
        )
    return None


def judge(raw: Raw, which: str, wanted: list[list[str]], want: str) -> Result:
    """Each container saw exactly the cards it was to see, all of them at the same time."""
    if found := stop(raw):
        return found
    told, wrong = raw[which], []
    if told["started"] < len(wanted):
        wrong.append(f"{told['started']} of {len(wanted)} containers started: {'; '.join(told['errors'])}")
    else:
        for number, (seen, cards) in enumerate(zip(told["seen"], wanted, strict=True)):
            if sorted(seen) != sorted(cards):
                wrong.append(
                    f"container {number} saw {len(seen)} GPUs of {len(cards)}: {', '.join(seen) or 'none'}"
                )
        if told["running"] < len(wanted):
            wrong.append(f"{told['running']} of {len(wanted)} ran at the same time")
    text = "\n".join([raw["image"], *(", ".join(seen) for seen in told["seen"]), *told["errors"]])
    value = "; ".join(wrong)[:500] or f"{len(wanted)} at once, each as it should"
    return judged(not wrong, value, want, ADVICE, evidence=text)
