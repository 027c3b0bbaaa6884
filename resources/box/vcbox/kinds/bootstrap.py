"""Layer 0: packages whole, python3-apt, and ansible-core with its collections in /opt/vault-cube/ansible.

`ansible` is a link to a folder named after what it was built from. A virtual environment holds its own path and cannot be
moved, so it is built where it stays and the link is put over by rename; an interrupted build is never behind the link.
"""

import hashlib
import shutil
import sys
import tarfile
from pathlib import Path

from vcbox import apt, process
from vcbox.context import Context, JobFailed

PIP_WATCHDOG = (300.0, "pip unpacks wheels from the disk and prints a line for each")
COMPLETE = ".complete"


class Counter:
    """What the steps did, for `finished`: `ok` found as wanted, `changed` made so."""

    def __init__(self) -> None:
        self.counts = {"ok": 0, "changed": 0, "failed": 0, "skipped": 0}

    def add(self, changed: bool) -> None:
        self.counts["changed" if changed else "ok"] += 1


def one_file(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise JobFailed(
            "bundle_incomplete",
            f"The bundle on the box has {len(found)} files {folder.name}/{pattern}; one is needed.",
        )
    return found[0]


def build_key(tree: Path) -> str:
    """Names what Ansible is built from: requirements, pip, collections, and the Python it runs on."""
    digest = hashlib.sha256(sys.version.encode())
    parts = [tree / "wheels" / "requirements-l0.txt", one_file(tree / "wheels", "pip-*.whl")]
    for path in [*parts, tree / "collections" / "ansible-collections.tar.xz"]:
        try:
            with open(path, "rb") as f:
                digest.update(hashlib.file_digest(f, "sha256").digest())
        except FileNotFoundError as e:
            raise JobFailed(
                "bundle_incomplete", f"The bundle on the box lacks {path.relative_to(tree)}. Fetch set l0."
            ) from e
    return digest.hexdigest()[:16]


def unpack_collections(archive: Path, target: Path) -> None:
    """Unpacks `ansible_collections/…`; plain files, folders and links inside the tree only."""
    with tarfile.open(archive, "r:xz") as tar:
        for member in tar:
            parts = member.name.removeprefix("./").split("/")
            if member.name.startswith("/") or ".." in parts or parts[0] != "ansible_collections":
                raise JobFailed("bundle_corrupt", f"The collections archive holds {member.name!r}.")
            path = target.joinpath(*parts)
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
            elif member.issym():
                inside = (path.parent / member.linkname).resolve()
                if not inside.is_relative_to(target.resolve()):
                    raise JobFailed(
                        "bundle_corrupt", f"The collections archive links outside itself: {member.name!r}."
                    )
                path.parent.mkdir(parents=True, exist_ok=True)
                path.symlink_to(member.linkname)
            elif member.isreg():
                source = tar.extractfile(member)
                assert source
                path.parent.mkdir(parents=True, exist_ok=True)
                with open(path, "wb") as f:
                    shutil.copyfileobj(source, f)
                path.chmod(0o755 if member.mode & 0o100 else 0o644)
            else:
                raise JobFailed(
                    "bundle_corrupt",
                    f"The collections archive holds {member.name!r}, which is no plain file.",
                )


def series_fits(version_text: str, series: str) -> bool:
    """Whether `ansible --version` text ("ansible [core 2.19.14] …") is of the series ("2.19")."""
    return f"[core {series}." in version_text.splitlines()[0] if version_text.strip() else False


def build(ctx: Context, target: Path, tree: Path) -> None:
    """Makes the environment in `target`, from the bundle alone."""
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    done = process.run(
        ctx, ["/usr/bin/python3", "-m", "venv", "--without-pip", str(target)], watchdog=PIP_WATCHDOG
    )
    if done.status:
        raise JobFailed("venv_failed", f"python3 -m venv ended with {done.status}: {done.tail[-500:]}")
    wheels = tree / "wheels"
    pip = [
        str(target / "bin" / "python"),
        str(one_file(wheels, "pip-*.whl") / "pip"),
        "install",
        "--no-index",
    ]
    pip += ["--find-links", str(wheels), "--require-hashes", "--no-cache-dir", "--disable-pip-version-check"]
    done = process.run(ctx, [*pip, "-r", str(wheels / "requirements-l0.txt")], watchdog=PIP_WATCHDOG)
    if done.status:
        raise JobFailed("pip_failed", f"pip ended with {done.status}: {done.tail[-800:]}")
    unpack_collections(tree / "collections" / "ansible-collections.tar.xz", target / "collections")
    done = process.run(
        ctx, [str(target / "bin" / "ansible"), "--version"], env={"ANSIBLE_HOME": "/root/.ansible"}
    )
    if done.status or not series_fits(done.tail, str(ctx.params.get("ansible", {}).get("series", ""))):
        wanted = ctx.params.get("ansible", {}).get("series")
        raise JobFailed(
            "ansible_wrong", f"What was installed is not ansible-core {wanted}: {done.tail[:300]}"
        )


def put_link(link: Path, target: Path) -> None:
    if link.is_dir() and not link.is_symlink():
        shutil.rmtree(link)  # not ours to keep: only this job writes here
    work = link.with_name(f".{link.name}.new")
    work.unlink(missing_ok=True)
    work.symlink_to(target.name)
    work.replace(link)


def run(ctx: Context) -> dict[str, int]:
    """params: `{ansible: {series: "2.19"}}`. A second run changes nothing."""
    paths, counter = ctx.paths, Counter()
    with ctx.step("apt-lock", "Wait for apt"):
        apt.wait_for_lock(ctx)
        apt.write_config(paths)
    with ctx.step("dpkg", "Repair half-configured packages", watchdog=apt.APT_WATCHDOG):
        counter.add(apt.repair(ctx, paths))
    with ctx.step("python-apt", "python3-apt", watchdog=apt.APT_WATCHDOG):
        missing = not apt.installed("python3-apt")
        if missing:
            apt.install(ctx, paths, ["python3-apt"])
        counter.add(missing)
    with ctx.step("ansible", "ansible-core and collections", nominal=30, watchdog=PIP_WATCHDOG):
        target = paths.opt / f"ansible-{build_key(paths.tree)}"
        changed = not (target / COMPLETE).exists()
        if changed:
            build(ctx, target, paths.tree)
            (target / COMPLETE).touch()
        if not paths.ansible.is_symlink() or paths.ansible.resolve() != target.resolve():
            changed = True
            put_link(paths.ansible, target)
        for old in paths.opt.glob("ansible-*"):
            if old != target:
                shutil.rmtree(old, ignore_errors=True)
        counter.add(changed)
    return counter.counts
