"""First code on the box, sent as text: `sudo … python3 -I -c <this> <tar> <sha256> <spec> <spec sha256> [launch options]`.

It trusts nothing the login user can still change: each file is read once, the hash is taken of the bytes that were read,
and what runs afterwards is unpacked from those bytes into a folder only root can write. Prints one JSON line.
"""

import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
from pathlib import Path

MAX_BYTES = 256 * 1024 * 1024


class Refused(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def read_hashed(path: str, sha256: str, what: str) -> bytes:
    """The file's bytes, read once and without following a link; refused unless their SHA-256 is the one given."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as e:
        raise Refused("upload_missing", f"{what} {path} cannot be read: {e.strerror}") from e
    with os.fdopen(fd, "rb") as f:
        data = f.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Refused("upload_corrupt", f"{what} is larger than {MAX_BYTES} bytes")
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise Refused("upload_corrupt", f"{what} has SHA-256 {found}, expected {sha256}")
    return data


def unpack(data: bytes, target: Path) -> None:
    """Unpacks into a sibling, syncs, renames: `target` is complete or absent. Only plain files and folders are taken."""
    if (target / "vcbox" / "__main__.py").is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    work = target.parent / f".{target.name}.{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o755)
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as tar:
            for member in tar:
                parts = [p for p in member.name.split("/") if p not in ("", ".")]
                if member.name.startswith("/") or ".." in parts:
                    raise Refused("upload_corrupt", f"the box archive holds the unsafe name {member.name!r}")
                path = work.joinpath(*parts)
                if member.isdir():
                    path.mkdir(parents=True, exist_ok=True, mode=0o755)
                    continue
                source = tar.extractfile(member) if member.isreg() else None
                if source is None:
                    raise Refused(
                        "upload_corrupt", f"the box archive holds {member.name!r}, which is no plain file"
                    )
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
                path.write_bytes(source.read())
                path.chmod(0o755 if member.mode & 0o100 else 0o644)
        if not (work / "vcbox" / "__main__.py").is_file():
            raise Refused("upload_corrupt", "the box archive holds no vcbox/")
        os.sync()
        shutil.rmtree(target, ignore_errors=True)
        work.rename(target)
    except tarfile.TarError as e:
        raise Refused("upload_corrupt", f"the box archive cannot be unpacked: {e}") from e
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main(argv: list[str]) -> int:
    # sudo may not have wanted the password line: what is left on stdin must reach nobody.
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.umask(0o022)
    try:
        if len(argv) < 4:
            raise Refused("spec_invalid", "usage: stage0 <tar> <sha256> <spec> <spec sha256>")
        if sys.version_info < (3, 11):
            raise Refused(
                "python_too_old",
                f"Python {sys.version.split()[0]} is on the box; 3.11 is the oldest that works",
            )
        if os.geteuid() != 0:
            raise Refused("not_root", "stage0 must run as root")
        options = argv[4:]
        opt = Path(options[options.index("--opt") + 1]) if "--opt" in options else Path("/opt/vault-cube")
        spec = read_hashed(argv[2], argv[3], "the job's specification")
        target = opt / "box" / argv[1]
        if len(argv[1]) != 64 or not set(argv[1]) <= set("0123456789abcdef"):
            raise Refused("upload_corrupt", "the archive's hash is not a SHA-256")
        if not (target / "vcbox" / "__main__.py").is_file():
            unpack(read_hashed(argv[0], argv[1], "the box archive"), target)
        sys.path.insert(0, str(target))
        sys.dont_write_bytecode = True
        from vcbox import launch

        answer = launch.launch(spec, target, options)
    except Refused as e:
        answer = {"ok": False, "code": e.code, "detail": e.detail}
    except OSError as e:
        code = "box_disk_full" if e.errno in (28, 122) else "box_io_error"
        answer = {"ok": False, "code": code, "detail": f"{e.strerror}: {e.filename}"}
    print(json.dumps(answer), flush=True)
    return 0 if answer["ok"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
