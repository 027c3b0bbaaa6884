"""A container really runs, if an image is on the box to run one from."""

from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_run, said

ID, TITLE, LAYER = "l1_docker_container", "A container runs", 1


def gather(look: Look) -> Raw:
    images = look.command("docker", "image", "ls", "-q", "--no-trunc", timeout=60)
    ids = images["out"].split()
    if images["status"] or not ids:
        return {"images": images, "run": None}
    base = [
        "docker",
        "run",
        "--rm",
        "--pull",
        "never",
        "--network",
        "none",
        "--label",
        f"vault-cube.job={look.job}",
    ]
    run = look.command(*base, "--entrypoint", "/bin/true", ids[0], timeout=60)
    if run["status"] == 127:
        # An image without a shell's tools: its own program is then the only one it has.
        run = look.command(*base, ids[0], timeout=60)
    return {"images": images, "run": run}


def judge(raw: Raw, profile: Profile) -> Result:
    run = raw["run"]
    if raw["images"]["status"]:
        return judged(
            False, said(raw["images"]), "a container ends with 0", "Mend Docker first: run layer 1 again."
        )
    if run is None:
        return not_run(
            "no container image is on the box", "Fetch a bundle with an image, then run the check again."
        )
    advice = "Look at `journalctl -u docker`, then run layer 1 again."
    good = run["status"] == 0
    return judged(
        good, "ended with 0" if good else said(run), "a container ends with 0", advice, evidence=said(run)
    )
