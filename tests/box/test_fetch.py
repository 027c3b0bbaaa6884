"""The fetch job against a real HTTP server on loopback that behaves as the app's does, and misbehaves as a bad line does."""

import hashlib
import http.server
import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from conftest import Box, events, wait_until
from shape import validate

TOKEN = "token-of-this-job"


class BundleServer:
    """`GET /manifest.json`, `GET /files/<sha256>` with Range. `cut_after`: bytes of a file after which it hangs up."""

    def __init__(self, files: dict[str, bytes], sets: dict[str, list[str]]) -> None:
        self.by_hash = {hashlib.sha256(data).hexdigest(): data for data in files.values()}
        rows = [
            {"path": p, "size": len(d), "sha256": hashlib.sha256(d).hexdigest()} for p, d in files.items()
        ]
        self.manifest = json.dumps({"v": 1, "name": "test", "files": rows, "sets": sets}).encode()
        self.sha256 = hashlib.sha256(self.manifest).hexdigest()
        self.requests: list[tuple[str, str | None]] = []
        self.cut_after: int | None = None
        self.spoil = 0
        self.server: http.server.ThreadingHTTPServer | None = None

    def start(self) -> int:
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                return

            def do_GET(self) -> None:
                outer.requests.append((self.path, self.headers.get("Range")))
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    self.answer(401, b"")
                elif self.path == "/manifest.json":
                    self.answer(200, outer.manifest)
                else:
                    self.file(outer.by_hash.get(self.path.removeprefix("/files/")))

            def file(self, data: bytes | None) -> None:
                if data is None:
                    return self.answer(404, b"")
                start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
                body = data[start:]
                if outer.spoil and len(data) > 100:
                    outer.spoil -= 1
                    body = bytes(len(body))
                if outer.cut_after is not None and len(body) > outer.cut_after:
                    self.send_response(206 if start else 200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body[: outer.cut_after])
                    self.wfile.flush()
                    self.close_connection = True
                    self.connection.close()
                    return None
                return self.answer(206 if start else 200, body)

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self.server.server_address[1]

    def stop(self) -> None:
        if self.server:
            self.server.shutdown()
            self.server.server_close()
        self.server = None


FILES = {
    "apt/Packages": b"Package: x\n",
    "wheels/pip-1.whl": os.urandom(300_000),
    "collections/c.tar.xz": os.urandom(1_000_000),
    "images/hello.tar": os.urandom(50_000),
    "wheels/empty.txt": b"",
}
SETS = {
    "l0": ["apt/Packages", "wheels/pip-1.whl", "collections/c.tar.xz", "wheels/empty.txt"],
    "l1": ["images/hello.tar"],
}


@pytest.fixture
def bundle() -> Any:
    server = BundleServer(FILES, SETS)
    yield server
    server.stop()


def start(box: Box, bundle: BundleServer, sets: list[str]) -> Path:
    return box.start("fetch", {"manifestSha256": bundle.sha256, "sets": sets, "title": "bundle"})


def tell(folder: Path, port: int) -> None:
    work = folder / "control" / ".source"
    work.write_text(json.dumps({"port": port, "token": TOKEN}))
    work.rename(folder / "control" / "source.json")


def waits(folder: Path, state: str) -> list[dict[str, Any]]:
    return [
        e for e in events(folder) if e["kind"] == "waiting" and e["for"] == "source" and e["state"] == state
    ]


def part_bytes(box: Box) -> int:
    """How much of the big file has come."""
    part = (
        box.state / "bundle" / "store" / f"{hashlib.sha256(FILES['collections/c.tar.xz']).hexdigest()}.part"
    )
    return part.stat().st_size if part.exists() else 0


def tree(box: Box) -> dict[str, bytes]:
    base = box.state / "bundle" / "tree"
    return {str(p.relative_to(base)): p.read_bytes() for p in base.rglob("*") if p.is_file()}


def test_fetches_waits_and_does_nothing_twice(box: Box, bundle: BundleServer) -> None:
    folder = start(box, bundle, ["l0", "l1"])
    wait_until("waiting for the source", lambda: waits(folder, "begin"))
    tell(folder, bundle.start())
    box.wait(folder)
    last = validate(folder)[-1]
    assert (last["outcome"], last["counts"]["changed"]) == ("passed", len(FILES)), last
    assert waits(folder, "end")
    assert tree(box) == {**FILES, "manifest.json": bundle.manifest}
    bundle.requests.clear()
    again = start(box, bundle, ["l0", "l1"])
    box.wait(again)
    assert validate(again)[-1]["counts"] == {"ok": len(FILES), "changed": 0, "failed": 0, "skipped": 0}
    assert bundle.requests == []


def test_resumes_with_range_and_on_another_port(box: Box, bundle: BundleServer) -> None:
    bundle.cut_after = 400_000
    folder = start(box, bundle, ["l0"])
    tell(folder, bundle.start())
    wait_until("the cut", lambda: part_bytes(box) >= 400_000)
    bundle.stop()
    bundle.cut_after = None
    tell(folder, bundle.start())
    box.wait(folder)
    assert validate(folder)[-1]["outcome"] == "passed"
    big = hashlib.sha256(FILES["collections/c.tar.xz"]).hexdigest()
    ranges = [r for path, r in bundle.requests if path == f"/files/{big}" and r]
    assert ranges and all(int(r.removeprefix("bytes=").rstrip("-")) >= 400_000 for r in ranges)
    assert tree(box)["collections/c.tar.xz"] == FILES["collections/c.tar.xz"]


def test_a_second_attempt_goes_on_with_the_part(box: Box, bundle: BundleServer) -> None:
    bundle.cut_after = 400_000
    folder = start(box, bundle, ["l0"])
    tell(folder, bundle.start())
    wait_until("the cut", lambda: part_bytes(box) >= 400_000)
    bundle.stop()
    (folder / "control" / "cancel").touch()
    box.wait(folder)
    assert validate(folder)[-1]["outcome"] == "cancelled"
    bundle.cut_after = None
    bundle.requests.clear()
    second = start(box, bundle, ["l0"])
    tell(second, bundle.start())
    box.wait(second)
    assert validate(second)[-1]["outcome"] == "passed"
    assert any(r for _, r in bundle.requests)


def test_a_wrong_hash_is_fetched_anew(box: Box, bundle: BundleServer) -> None:
    bundle.spoil = 1
    folder = start(box, bundle, ["l0"])
    tell(folder, bundle.start())
    box.wait(folder)
    assert validate(folder)[-1]["outcome"] == "passed"
    assert any("wrong hash" in e.get("text", "") for e in events(folder))
    assert tree(box)["wheels/pip-1.whl"] == FILES["wheels/pip-1.whl"]


def test_three_wrong_hashes_fail_the_job(box: Box, bundle: BundleServer) -> None:
    bundle.spoil = 1000
    folder = start(box, bundle, ["l0"])
    tell(folder, bundle.start())
    box.wait(folder)
    last = validate(folder)[-1]
    assert (last["outcome"], last["code"]) == ("failed", "bundle_corrupt")
    assert not (box.state / "bundle" / "tree" / "manifest.json").exists()


def test_another_manifest_fails_the_job(box: Box, bundle: BundleServer) -> None:
    folder = box.start("fetch", {"manifestSha256": "0" * 64, "sets": ["l0"], "title": "bundle"})
    tell(folder, bundle.start())
    box.wait(folder)
    assert validate(folder)[-1]["code"] == "bundle_corrupt"


def test_a_wrong_token_waits_and_never_fails(box: Box, bundle: BundleServer) -> None:
    folder = start(box, bundle, ["l0"])
    port = bundle.start()
    (folder / "control" / "source.json").write_text(json.dumps({"port": port, "token": "old"}))
    wait_until("waiting", lambda: any("401" in e["detail"] for e in waits(folder, "begin")))
    tell(folder, port)
    box.wait(folder)
    assert validate(folder)[-1]["outcome"] == "passed"


def test_unsafe_paths_are_refused(box: Box) -> None:
    server = BundleServer({"../outside": b"x"}, {"l0": ["../outside"]})
    folder = start(box, server, ["l0"])
    try:
        tell(folder, server.start())
        box.wait(folder)
    finally:
        server.stop()
    assert validate(folder)[-1]["code"] == "bundle_corrupt"


def test_no_room_is_said_before_anything_is_fetched(box: Box) -> None:
    server = BundleServer({"images/a.tar": b"x"}, {"l1": ["images/a.tar"]})
    manifest = json.loads(server.manifest)
    manifest["files"][0]["size"] = 10**15
    server.manifest = json.dumps(manifest).encode()
    server.sha256 = hashlib.sha256(server.manifest).hexdigest()
    folder = start(box, server, ["l1"])
    try:
        tell(folder, server.start())
        box.wait(folder)
    finally:
        server.stop()
    last = validate(folder)[-1]
    assert last["code"] == "box_disk_full" and "GB free" in last["detail"]
    assert not [p for p, _ in server.requests if p.startswith("/files/")]


def test_files_of_other_layers_make_room_and_come_again_when_needed(box: Box) -> None:
    files = {
        "apt/Packages": b"x",
        "images/big.tar": os.urandom(3_000_000),
        "wheels/w.whl": os.urandom(2_500_000),
    }
    server = BundleServer(
        files, {"l1": ["apt/Packages", "images/big.tar"], "l4": ["apt/Packages", "wheels/w.whl"]}
    )
    port = server.start()
    place = box.state / "bundle"
    place.mkdir(parents=True)
    # 1 GiB is to be left, so 4 MiB are for files: one of the two big ones.
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={1024 + 4}M", "tmpfs", str(place)], check=True)

    def fetched(layer: str) -> list[dict[str, Any]]:
        folder = start(box, server, [layer])
        tell(folder, port)
        box.wait(folder)
        found = validate(folder)
        assert found[-1]["outcome"] == "passed", found[-1]
        return found

    def notes(found: list[dict[str, Any]]) -> list[str]:
        return [e["text"] for e in found if e["kind"] == "log" and "make room" in e["text"]]

    try:
        assert notes(fetched("l1")) == []
        assert len(notes(fetched("l4"))) == 1
        assert sorted(tree(box)) == ["apt/Packages", "manifest.json", "wheels/w.whl"]
        assert len(notes(fetched("l1"))) == 1
        assert sorted(tree(box)) == ["apt/Packages", "images/big.tar", "manifest.json"]
        assert tree(box)["images/big.tar"] == files["images/big.tar"]
        # What has a link elsewhere, as a model that was laid out, gives no room back and stays.
        os.link(place / "tree/images/big.tar", place / "kept")
        folder = start(box, server, ["l4"])
        tell(folder, port)
        box.wait(folder)
        assert validate(folder)[-1]["code"] == "box_disk_full"
        assert tree(box)["images/big.tar"] == files["images/big.tar"]
    finally:
        server.stop()
        box.stop_all()
        subprocess.run(["umount", str(place)], check=True)
