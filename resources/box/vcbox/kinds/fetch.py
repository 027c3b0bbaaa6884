"""Brings the files of a site bundle to the box, through the connection's tunnel (docs/adr/0005-bundle.md).

Resumable after anything: what is in the store with its hash in its name is there, a `.part` is continued with Range.
"""

import hashlib
import http.client
import json
import os
import re
import time
from pathlib import Path
from typing import Any

from vcbox.context import Context, JobFailed

CHUNK = 256 * 1024
TIMEOUT_SECONDS = 10.0
RETRY_SECONDS = 0.3
BAD_HASH_MAX = 3
SPARE_BYTES = 1024**3
PROGRESS_SECONDS = 0.5
SHA256 = re.compile(r"^[0-9a-f]{64}$")


class SourceGone(Exception):
    """The source does not answer, or not as a source: wait for it."""


class Source:
    """The app's HTTP server behind the tunnel; port and token are read anew for each request, as a reconnect changes them."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.connection: http.client.HTTPConnection | None = None
        self.at: tuple[int, str] | None = None

    def close(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None

    def get(self, path: str, offset: int = 0) -> http.client.HTTPResponse:
        try:
            told = json.loads((self.ctx.control / "source.json").read_text())
            at = (int(told["port"]), str(told["token"]))
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise SourceGone("the app has not opened its tunnel yet") from e
        if at != self.at or self.connection is None:
            self.close()
            self.at = at
            self.connection = http.client.HTTPConnection("127.0.0.1", at[0], timeout=TIMEOUT_SECONDS)
        headers = {"Authorization": f"Bearer {at[1]}"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        try:
            self.connection.request("GET", path, headers=headers)
            return self.connection.getresponse()
        except (OSError, http.client.HTTPException) as e:
            self.close()
            raise SourceGone(f"port {at[0]} of the tunnel: {e or type(e).__name__}") from e


class Waiter:
    """Turns a source that is away into `waiting: source`, begun once and ended when it answers."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.block: Any = None

    def away(self, why: str) -> None:
        if self.block is None:
            self.block = self.ctx.waiting("source", why)
            self.block.__enter__()
        elif self.ctx.waiting_for:
            self.ctx.waiting_for = ("source", why)
        self.ctx.sleep(RETRY_SECONDS)

    def back(self) -> None:
        if self.block is not None:
            block, self.block = self.block, None
            block.__exit__(None, None, None)


def safe_path(path: str) -> bool:
    parts = path.split("/")
    return (
        bool(path)
        and not path.startswith("/")
        and "\\" not in path
        and all(p not in ("", ".", "..") for p in parts)
    )


def parse_manifest(data: bytes, sets: list[str]) -> list[dict[str, Any]]:
    """The files of the named sets, each once: `{path, size, sha256}`. JobFailed `bundle_corrupt` when it cannot be used."""
    try:
        manifest = json.loads(data)
        by_path = {f["path"]: f for f in manifest["files"]}
        unknown = [s for s in sets if s not in manifest["sets"]]
        if unknown:
            raise JobFailed("bundle_corrupt", f"The bundle has no set named {', '.join(unknown)}.")
        wanted = sorted({path for s in sets for path in manifest["sets"][s]})
        files = [by_path[path] for path in wanted]
    except (ValueError, KeyError, TypeError) as e:
        raise JobFailed(
            "bundle_corrupt", f"The bundle's manifest cannot be read: {type(e).__name__}: {e}"
        ) from e
    for f in files:
        if (
            not safe_path(f["path"])
            or not SHA256.match(str(f["sha256"]))
            or type(f["size"]) is not int
            or f["size"] < 0
        ):
            raise JobFailed(
                "bundle_corrupt", f"The bundle's manifest has an entry that is not safe: {f!r}"[:500]
            )
    return files


class Fetch:
    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.source = Source(ctx)
        self.waiter = Waiter(ctx)
        self.store = ctx.paths.bundle / "store"
        self.tree = ctx.paths.tree
        self.done_bytes = 0
        self.total_bytes = 0
        self.reported = 0.0

    def report(self, last: bool = False) -> None:
        now = time.monotonic()
        if last or now - self.reported >= PROGRESS_SECONDS:
            self.reported = now
            self.ctx.progress("files", self.done_bytes, self.total_bytes, "bytes")

    def manifest(self, sha256: str) -> bytes:
        """The manifest's bytes with just this hash, from the tree or from the source."""
        kept = self.tree / "manifest.json"
        if kept.is_file() and hashlib.sha256(data := kept.read_bytes()).hexdigest() == sha256:
            return data
        bad = 0
        while True:
            self.ctx.check_cancelled()
            try:
                response = self.source.get("/manifest.json")
                data = response.read()
                if response.status != 200:
                    raise SourceGone(f"the source answers {response.status} for its manifest")
            except (SourceGone, OSError, http.client.HTTPException) as e:
                self.source.close()
                self.waiter.away(str(e))
                continue
            self.waiter.back()
            if hashlib.sha256(data).hexdigest() == sha256:
                return data
            bad += 1
            if bad >= BAD_HASH_MAX:
                raise JobFailed(
                    "bundle_corrupt", "The source's manifest is not the one this job was started for."
                )

    def free(self) -> int:
        stat = os.statvfs(self.store)
        return stat.f_bavail * stat.f_frsize

    def make_room(self, missing: int, files: list[dict[str, Any]]) -> None:
        """Takes other layers' files away, the largest first, where these would not fit beside them: what was installed of them stays
        installed, and the next fetch of such a layer brings its files again. JobFailed `box_disk_full`, and nothing taken, when that is
        not enough."""
        need, free = missing + SPARE_BYTES, self.free()
        if free >= need:
            return
        wanted = {f["sha256"] for f in files}
        links: dict[int, list[Path]] = {}
        for path in [*self.store.iterdir(), *(p for p in self.tree.rglob("*") if p.is_file())]:
            links.setdefault(path.stat().st_ino, []).append(path)
        # A model that is in use as well, by a link of its own, would give nothing back.
        others = [
            p
            for p in self.store.iterdir()
            if p.name.removesuffix(".part") not in wanted
            and p.stat().st_nlink <= len(links[p.stat().st_ino])
        ]
        if free + sum(p.stat().st_size for p in others) < need:
            raise JobFailed(
                "box_disk_full",
                f"{self.store} has {free / 1e9:.1f} GB free; the bundle needs {need / 1e9:.1f} GB (what is missing and 1 GiB).",
            )
        for old in sorted(others, key=lambda p: -p.stat().st_size):
            for path in links[old.stat().st_ino]:
                path.unlink()
            if self.free() >= need:
                break
        gone = (self.free() - free) / 1e9
        self.ctx.log.note(f"{gone:.1f} GB of other layers' files removed to make room", self.ctx.step_id)

    def one(self, file: dict[str, Any]) -> None:
        """Downloads one file into the store, whole and with its hash; waits while the source is away."""
        target, part = self.store / file["sha256"], self.store / f"{file['sha256']}.part"
        bad, before = 0, self.done_bytes
        while True:
            self.ctx.check_cancelled()
            have = part.stat().st_size if part.exists() else 0
            if have > file["size"]:
                part.unlink()
                continue
            self.done_bytes = before + have
            if have < file["size"] or (have == 0 and not part.exists()):
                try:
                    self.more(file, part, have)
                except (SourceGone, OSError, http.client.HTTPException) as e:
                    if isinstance(e, OSError) and e.errno in (28, 122):
                        raise
                    self.source.close()
                    self.waiter.away(str(e) or type(e).__name__)
                    continue
            if self.hash_of(part) == file["sha256"]:
                self.sync_rename(part, target)
                self.done_bytes = before + file["size"]
                return
            part.unlink(missing_ok=True)
            bad += 1
            self.ctx.log.note(
                f"{file['path']}: wrong hash, fetched anew ({bad} of {BAD_HASH_MAX})", self.ctx.step_id
            )
            if bad >= BAD_HASH_MAX:
                raise JobFailed("bundle_corrupt", f"{file['path']} came with a wrong hash {bad} times.")

    def more(self, file: dict[str, Any], part: Path, have: int) -> None:
        """Reads the rest of the file behind what is there; returns when its size is reached."""
        if file["size"] == 0:
            part.touch()
            return
        response = self.source.get(f"/files/{file['sha256']}", have)
        if response.status == 404:
            self.source.close()
            raise SourceGone(f"the source does not have {file['path']} at the moment")
        if response.status not in (200, 206):
            self.source.close()
            raise SourceGone(f"the source answers {response.status}")
        if have and response.status == 200:
            have = 0  # a source that does not know Range sends all of it
            self.done_bytes -= part.stat().st_size
        self.waiter.back()
        with open(part, "r+b" if have else "wb") as f:
            f.seek(have)
            while have < file["size"]:
                data = response.read1(min(CHUNK, file["size"] - have))
                if not data:
                    raise SourceGone("the source closed in the middle of a file")
                f.write(data)
                have += len(data)
                self.done_bytes += len(data)
                self.report()
                self.ctx.check_cancelled()
        # http.client takes the next request only when this answer was read to its end.
        if response.read():
            self.source.close()

    def hash_of(self, path: Path) -> str:
        digest = hashlib.sha256()
        with open(path, "rb") as f:
            while data := f.read(4 * 1024 * 1024):
                digest.update(data)
                self.ctx.check_cancelled()
        return digest.hexdigest()

    def sync_rename(self, part: Path, target: Path) -> None:
        fd = os.open(part, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
        part.chmod(0o644)
        part.rename(target)

    def link(self, files: list[dict[str, Any]], manifest: bytes) -> int:
        """Hard-links the tree from the store, takes away what belongs to no set, writes the manifest last."""
        changed = 0
        keep = {self.tree / f["path"] for f in files}
        (self.tree / "manifest.json").unlink(missing_ok=True)
        for f in files:
            self.ctx.check_cancelled()
            path, stored = self.tree / f["path"], self.store / f["sha256"]
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and path.samefile(stored):
                continue
            work = path.with_name(f".{path.name}.new")
            work.unlink(missing_ok=True)
            os.link(stored, work)
            work.replace(path)
            changed += 1
        named = {
            (self.tree / p["path"]): p["sha256"]
            for p in json.loads(manifest)["files"]
            if safe_path(p["path"])
        }
        for old in [p for p in self.tree.rglob("*") if p.is_file()]:
            # Another set of this bundle, fetched earlier, stays; a file of another bundle would mislead apt.
            stored = self.store / named.get(old, "-")
            if old not in keep and not (stored.exists() and old.samefile(stored)):
                old.unlink()
        used = set(named.values())
        for old in self.store.iterdir():
            if old.name.removesuffix(".part") not in used:
                old.unlink()
        work = self.tree / ".manifest.json.new"
        work.write_bytes(manifest)
        work.replace(self.tree / "manifest.json")
        os.sync()
        return changed


def run(ctx: Context) -> dict[str, int]:
    """params: `{manifestSha256, sets, title}`. Counts: `changed` files fetched, `ok` files that were there."""
    sha256, sets = ctx.params.get("manifestSha256"), ctx.params.get("sets")
    if (
        not SHA256.match(str(sha256))
        or not isinstance(sets, list)
        or not all(isinstance(s, str) for s in sets)
    ):
        raise JobFailed("spec_invalid", "fetch wants manifestSha256 and a list of sets")
    fetch = Fetch(ctx)
    os.umask(0o022)  # the tree is read by apt and pip; the folder above it keeps others out
    fetch.store.mkdir(parents=True, exist_ok=True)
    fetch.tree.mkdir(parents=True, exist_ok=True)
    try:
        with ctx.step("manifest", "Read the bundle's manifest"):
            manifest = fetch.manifest(str(sha256))
            files = parse_manifest(manifest, sets)
        unique = {f["sha256"]: f for f in files}
        with ctx.step("look", "Look what is there"):
            missing = []
            for f in unique.values():
                ctx.check_cancelled()
                stored = fetch.store / f["sha256"]
                if (
                    not stored.exists()
                    or stored.stat().st_size != f["size"]
                    or fetch.hash_of(stored) != f["sha256"]
                ):
                    stored.unlink(missing_ok=True)
                    missing.append(f)
            parts = {f["sha256"]: fetch.store / f"{f['sha256']}.part" for f in missing}
            there = sum(p.stat().st_size for p in parts.values() if p.exists())
            fetch.total_bytes = sum(f["size"] for f in missing)
            fetch.make_room(max(0, fetch.total_bytes - there), files)
        with ctx.step("files", f"Fetch {len(missing)} of {len(unique)} files"):
            for f in missing:
                fetch.one(f)
            fetch.report(last=True)
        with ctx.step("link", "Put the tree together"):
            fetch.link(files, manifest)
    finally:
        fetch.source.close()
        fetch.waiter.back()
    return {"ok": len(unique) - len(missing), "changed": len(missing), "failed": 0, "skipped": 0}
