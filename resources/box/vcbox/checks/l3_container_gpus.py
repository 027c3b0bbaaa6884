"""A container sees the GPUs, as many as the box: from an image of the bundle, else from whatever image has a name."""

from vcbox.checks import l1_docker_container
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_run, said

ID, TITLE, LAYER = "l3_container_gpus", "A container sees the GPUs", 3
# Where NVIDIA's runtime puts it.
SMI = "/usr/bin/nvidia-smi"


def gather(look: Look) -> Raw:
    listed, image = l1_docker_container.image_of(look)
    host = look.command("nvidia-smi", "-L", timeout=60)
    if image is None:
        return {"images": listed, "image": None, "host": host, "run": None}
    # Without --gpus or --runtime: it is the default runtime that is to give them.
    base = ["docker", "run", "--rm", "--pull", "never", "--network", "none"]
    base += ["--label", f"vault-cube.job={look.job}", "-e", "NVIDIA_VISIBLE_DEVICES=all"]
    base += ["-e", "NVIDIA_DRIVER_CAPABILITIES=utility", "--entrypoint", SMI, image, "-L"]
    return {"images": listed, "image": image, "host": host, "run": look.command(*base, timeout=120)}


def cards(raw: Raw) -> list[str]:
    return (
        [line.strip() for line in raw["out"].splitlines() if line.startswith("GPU ")]
        if raw["status"] == 0
        else []
    )


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["images"]["status"]:
        return judged(False, said(raw["images"]), "all GPUs of the box", "Run layer 1, then layer 3 again.")
    if raw["run"] is None:
        return not_run(
            "no container image is on the box", "Fetch a bundle with an image, then run the check again."
        )
    host, inside = cards(raw["host"]), cards(raw["run"])
    if not host:
        return not_run(f"the box itself sees no GPU: {said(raw['host'])}", "Mend layer 2 first.")
    value = f"{len(inside)} of {len(host)}" if raw["run"]["status"] == 0 else said(raw["run"])
    advice = "Look at `journalctl -u docker`, then run layer 3 again."
    evidence = f"{raw['image']}\n{raw['run']['out']}{raw['run']['err']}"
    return judged(inside == host, value, f"all {len(host)} GPUs of the box", advice, evidence=evidence)
