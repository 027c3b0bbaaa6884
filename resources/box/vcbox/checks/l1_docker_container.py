"""A container really runs: from an image of the bundle, else from whatever image has a name."""

import json
import tarfile
from pathlib import Path

from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_run, said
from vcbox.paths import Paths

ID, TITLE, LAYER = "l1_docker_container", "A container runs", 1


def names_in(archive: Path) -> list[str]:
    """What an archive of `docker save` calls its images; nothing for a file that is no such archive."""
    try:
        with tarfile.open(archive) as tar:
            member = tar.extractfile("manifest.json")
            entries = json.load(member) if member else []
        return [name for entry in entries for name in entry.get("RepoTags") or []]
    except (OSError, tarfile.TarError, KeyError, ValueError, AttributeError):
        return []


def image_of(look: Look) -> tuple[Raw, str | None]:
    """What Docker lists, and the image to try: the bundle's first, else any that has a name; None without one."""
    listed = look.command("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", timeout=60)
    there = [name for name in listed["out"].split() if "<none>" not in name]
    ours = [name for path in sorted((Paths().tree / "images").glob("*.tar")) for name in names_in(path)]
    return listed, None if listed["status"] else next((name for name in [*ours, *there] if name in there), None)


def gather(look: Look) -> Raw:
    listed, image = image_of(look)
    if image is None:
        return {"images": listed, "image": None, "run": None}
    base = ["docker", "run", "--rm", "--pull", "never", "--network", "none"]
    base += ["--label", f"vault-cube.job={look.job}"]
    run = look.command(*base, "--entrypoint", "/bin/true", image, timeout=60)
    if run["status"] == 127:
        # An image without a shell's tools: its own program is then the only one it has.
        run = look.command(*base, image, timeout=60)
    return {"images": listed, "image": image, "run": run}


def judge(raw: Raw, profile: Profile) -> Result:
    run, want = raw["run"], "a container ends with 0"
    if raw["images"]["status"]:
        return judged(False, said(raw["images"]), want, "Mend Docker first: run layer 1 again.")
    if run is None:
        return not_run(
            "no container image is on the box", "Fetch a bundle with an image, then run the check again."
        )
    advice = "Look at `journalctl -u docker`, then run layer 1 again."
    good = run["status"] == 0
    value = f"{raw['image']} ended with 0" if good else f"{raw['image']}: {said(run)}"
    return judged(good, value, want, advice, evidence=said(run))
