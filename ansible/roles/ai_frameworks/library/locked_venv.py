#!/usr/bin/python
"""Makes a virtual environment exactly what a lock file names, and mends one that is not."""

from __future__ import annotations

import contextlib
import csv
import importlib.metadata
import os
import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
---
module: locked_venv
short_description: A virtual environment holds exactly what a lock file names
description:
  - Looks at the environment itself, not at what pip says - interpreter, installed packages and versions, every file with the
    size that its package recorded, owner and permissions. Only what differs is installed again, taken away or put right; if
    that does not help, the environment is made anew.
  - An edit that leaves a file's size as it was is not seen.
  - C(pip) may be there beside the lock file's packages, as C(venv) puts it there.
options:
  path:
    description: Folder of the environment.
    type: path
    required: true
  lock:
    description: Requirements file on the box in which every package is pinned with its hashes.
    type: path
    required: true
  python:
    description: Interpreter to make it with.
    type: path
    default: /usr/bin/python3
  wheels_dir:
    description: Folder with the wheels; without it pip asks its index.
    type: path
  size_gib:
    description: What the environment takes on the disk. Counted from the wheels where they are there.
    type: int
    default: 0
  spare_gib:
    description: What must be left on the disk then.
    type: int
    default: 0
attributes:
  check_mode:
    support: full
author:
  - Vault Cube Provisioner
"""

EXAMPLES = r"""
- name: PyTorch
  locked_venv:
    path: /opt/venvs/torch
    lock: /opt/venvs/locks/torch.txt
    wheels_dir: /srv/wheels
"""

RETURN = r"""
found:
  description: What was not as it should be, one text each; at most 20.
  type: list
  elements: str
  returned: success
rebuilt:
  description: Whether the environment was made anew.
  type: bool
  returned: success
"""

PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")
FOUND_MAX = 20
MENDS = 2
FULL_BYTES = 2**20


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(text: str) -> dict[str, tuple[str, str]]:
    """`{name: (version, its lines)}`. Raises ValueError for a line that is no pin, and for a pin without a hash."""
    found: dict[str, tuple[str, str]] = {}
    for entry in text.replace("\\\n", "\x00").splitlines():
        lines = entry.replace("\x00", "\\\n")
        if not entry.strip() or entry.lstrip().startswith("#"):
            continue
        pin = PIN.match(entry)
        if not pin or "--hash=sha256:" not in entry:
            raise ValueError(f"no pinned package with a hash: {lines.splitlines()[0][:100]!r}")
        found[canonical(pin[1])] = (pin[2], lines)
    if not found:
        raise ValueError("it names no package")
    return found


@dataclass
class State:
    """What differs. `broken`: nothing to be mended, it must be made anew."""

    broken: str | None = None
    wrong: dict[str, str] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    strays: list[Path] = field(default_factory=list)
    unsafe: list[Path] = field(default_factory=list)

    def found(self) -> list[str]:
        if self.broken:
            return [self.broken]
        texts = [f"{name}: {why}" for name, why in sorted(self.wrong.items())]
        texts += [f"{name}: not in the lock file" for name in sorted(self.extra)]
        texts += [f"{path.name}: of no package" for path in self.strays]
        texts += [f"{path}: owner or permissions" for path in self.unsafe]
        return texts[:FOUND_MAX]


def recorded(dist: importlib.metadata.Distribution) -> list[tuple[str, int | None]]:
    """The files that came with the package and their sizes, from its RECORD; `dist.files` would leave out those that are gone."""
    rows = csv.reader((dist.read_text("RECORD") or "").splitlines())
    return [(row[0], int(row[2]) if row[2] else None) for row in rows if len(row) == 3]


def damaged(dist: importlib.metadata.Distribution, site: Path) -> str | None:
    """The first of the package's files that is not there or has another size; None when it is whole."""
    files = recorded(dist)
    if not files:
        return "its list of files is missing"
    for file, wanted in files:
        if wanted is None:
            continue
        try:
            size = os.stat(site / file).st_size
        except OSError:
            return f"{file} is missing"
        if size != wanted:
            return f"{file} was changed"
    return None


def top_level(dist: importlib.metadata.Distribution) -> set[str]:
    return {file.split("/")[0] for file, _ in recorded(dist)} - {".."}


def unsafe_paths(top: Path, uid: int) -> Iterator[Path]:
    """What somebody else could write, or what not everybody can read."""
    for folder, _, files in os.walk(top):
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            about = path.lstat()
            if stat.S_ISLNK(about.st_mode):
                continue
            wanted = 0o055 if stat.S_ISDIR(about.st_mode) else 0o044
            if about.st_uid != uid or about.st_mode & 0o022 or about.st_mode & wanted != wanted:
                yield path


class Venv:
    def __init__(self, module: AnsibleModule, wanted: dict[str, tuple[str, str]]) -> None:
        self.module = module
        self.path = Path(module.params["path"])
        self.python = module.params["python"]
        self.wheels = module.params["wheels_dir"]
        self.wanted = wanted

    def run(self, *argv: str) -> tuple[int, str]:
        """Exit status, and what it said last. Nothing of the caller's pip settings applies where the wheels are given."""
        env = {"PYTHONDONTWRITEBYTECODE": "", "LC_ALL": "C.UTF-8"}
        if self.wheels:
            env["PIP_CONFIG_FILE"] = os.devnull
        status, out, err = self.module.run_command(list(argv), environ_update=env, umask=0o022)
        said = (err.strip() or out.strip())[-1500:]
        if status and shutil.disk_usage(self.path if self.path.exists() else self.path.parent).free < FULL_BYTES:
            # venv keeps to itself what pip told it.
            said += " No space left on the disk."
        return status, said

    def version(self, python: str) -> str | None:
        status, out, _ = self.module.run_command(
            [python, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        )
        return out.strip() if status == 0 else None

    def look(self) -> State:
        own = str(self.path / "bin" / "python")
        if not os.path.exists(own):
            return State(broken="not there")
        if torn := self.torn():
            return State(broken=torn)
        version = self.version(own)
        if version is None or version != self.version(self.python):
            return State(broken=f"its Python is {version or 'broken'}")
        site = self.path / "lib" / f"python{version}" / "site-packages"
        if not site.is_dir():
            return State(broken="it has no site-packages")
        state = State()
        self.compare(site, state)
        state.unsafe = list(unsafe_paths(self.path, os.geteuid()))
        return state

    def torn(self) -> str | None:
        """
        What a power cut leaves of files that no package records: names without content. Without its settings the interpreter is
        the system's own, and pip would install there.
        """
        try:
            settings = (self.path / "pyvenv.cfg").read_text()
        except (OSError, ValueError):
            settings = ""
        if not re.search(r"^home\s*=\s*\S", settings, re.MULTILINE):
            return "its pyvenv.cfg is broken"
        empty = [p.name for p in (self.path / "bin").glob("[aA]ctivate*") if p.stat().st_size == 0]
        return f"bin/{min(empty)} is empty" if empty else None

    def compare(self, site: Path, state: State) -> None:
        there: dict[str, list[importlib.metadata.Distribution]] = {}
        known = {"__pycache__"}
        for dist in importlib.metadata.distributions(path=[str(site)]):
            name = dist.metadata["Name"] if dist.metadata else None
            if name:
                there.setdefault(canonical(name), []).append(dist)
                known |= top_level(dist)
        for name, (version, _) in self.wanted.items():
            found = there.get(name, [])
            if len(found) != 1:
                state.wrong[name] = "missing" if not found else "there more than once"
            elif found[0].version != version:
                state.wrong[name] = f"{found[0].version} instead of {version}"
            elif why := damaged(found[0], site):
                state.wrong[name] = why
        if "pip" not in self.wanted:
            pip = there.pop("pip", [])
            why = damaged(pip[0], site) if len(pip) == 1 else "missing"
            if why:
                state.broken = f"pip: {why}"
        state.extra = [name for name in there if name not in self.wanted]
        state.strays = [path for path in site.iterdir() if path.name not in known]

    def pip(self, *argv: str) -> tuple[int, str]:
        python = str(self.path / "bin" / "python")
        common = ["--disable-pip-version-check", "--no-input", "--root-user-action=ignore"]
        return self.run(python, "-I", "-m", "pip", *argv, *common)

    def install(self, names: list[str]) -> str | None:
        """Installs these as the lock file has them, over what is there. Returns why it did not work."""
        with tempfile.NamedTemporaryFile("w", suffix=".txt", prefix="locked-venv-") as file:
            file.write("".join(f"{self.wanted[name][1]}\n" for name in names))
            file.flush()
            source = ["--no-index", "--find-links", self.wheels] if self.wheels else []
            options = [
                "--require-hashes",
                "--no-deps",
                "--only-binary=:all:",
                "--force-reinstall",
                "--no-cache-dir",
                "--no-warn-script-location",
            ]
            status, said = self.pip("install", *source, *options, "--progress-bar=off", "-q", "-r", file.name)
        return None if status == 0 else f"pip ended with {status}: {said}"

    def mend(self, state: State) -> None:
        """Puts right what differs, as far as that goes; the next look tells."""
        for path in state.unsafe:
            about = path.lstat()
            os.chown(path, os.geteuid(), os.getegid())
            os.chmod(path, (stat.S_IMODE(about.st_mode) & ~0o022) | (0o755 if path.is_dir() else 0o644))
        if state.extra:
            self.pip("uninstall", "-y", "-q", *sorted(state.extra))
        if state.wrong:
            self.install(sorted(state.wrong))
        for path in state.strays:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()

    def build(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        status, said = self.run(self.python, "-m", "venv", str(self.path))
        if status:
            self.module.fail_json(msg=f"{self.python} -m venv {self.path} ended with {status}: {said}")
        why = self.install(sorted(self.wanted))
        if why:
            self.module.fail_json(msg=f"{self.path}: {why}")
        # Up to Python 3.11 venv brings more than pip.
        self.mend(State(extra=self.look().extra))

    def wheels_of(self, names: Iterable[str]) -> dict[str, list[Path]]:
        """The wheels that are there of these packages in the wanted versions, by their file names."""
        found: dict[str, list[Path]] = {name: [] for name in names}
        for path in Path(self.wheels).glob("*.whl"):
            name, version = path.name.split("-")[:2]
            name = canonical(name)
            if name in found and self.wanted[name][0] == version:
                found[name].append(path)
        return found

    def require_wheels(self, names: Iterable[str]) -> None:
        """Fails before anything is changed where a wheel is missing or is not the one that was locked."""
        if not self.wheels:
            return
        bad = []
        for name, paths in self.wheels_of(names).items():
            version, lines = self.wanted[name]
            if not any(self.module.sha256(str(path)) in lines for path in paths):
                bad.append(f"{name} {version} {'with one of its hashes' if paths else ''}".strip())
        if bad:
            listed = ", ".join(sorted(bad)[:FOUND_MAX])
            self.module.fail_json(
                msg=f"{self.wheels} lacks {listed}. Fetch the wheels that belong to {self.module.params['lock']}."
            )

    def need(self) -> int:
        """Bytes that a whole installation takes: what the wheels unpack to, or what was measured."""
        if not self.wheels:
            return self.module.params["size_gib"] * 2**30
        total = 0
        for paths in self.wheels_of(self.wanted).values():
            for path in paths[:1]:
                with zipfile.ZipFile(path) as wheel:
                    total += sum(info.file_size for info in wheel.infolist())
        return total

    def require_room(self) -> None:
        """Fails before anything is changed where the disk is too small; what a new environment replaces is counted as free."""
        parent = next(path for path in (self.path, *self.path.parents) if path.exists())
        old = sum(os.lstat(os.path.join(top, f)).st_size for top, _, files in os.walk(self.path) for f in files)
        free, need = shutil.disk_usage(parent).free + old, self.need()
        spare = self.module.params["spare_gib"] * 2**30
        if free < need + spare:
            gib = [f"{n / 2**30:.1f} GiB" for n in (need, spare, free)]
            self.module.fail_json(
                msg=f"{self.path} takes {gib[0]} and {gib[1]} must be left, but {gib[2]} are free on that disk. Make room."
            )


def main() -> None:
    spec: dict[str, Any] = {
        "path": {"type": "path", "required": True},
        "lock": {"type": "path", "required": True},
        "python": {"type": "path", "default": "/usr/bin/python3"},
        "wheels_dir": {"type": "path"},
        "size_gib": {"type": "int", "default": 0},
        "spare_gib": {"type": "int", "default": 0},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    lock = Path(module.params["lock"])
    if module.check_mode and not lock.exists():
        module.exit_json(changed=True, found=["not there"], rebuilt=True)
    try:
        venv = Venv(module, read_lock(lock.read_text()))
    except (OSError, ValueError) as e:
        module.fail_json(msg=f"{lock} is no lock file: {e}")
    state = venv.look()
    found = state.found()
    if not found or module.check_mode:
        module.exit_json(changed=bool(found), found=found, rebuilt=state.broken is not None)
    venv.require_wheels(venv.wanted if state.broken else state.wrong)
    # What pip cannot replace, since its list of files is gone, is then of no package and taken away: the second time there is room for it.
    for _ in range(MENDS):
        if not state.broken and state.found():
            venv.mend(state)
            state = venv.look()
    rebuilt = bool(state.found())
    if rebuilt:
        venv.require_wheels(venv.wanted)
        venv.require_room()
        venv.build()
        left = venv.look().found()
        if left:
            module.fail_json(msg=f"{venv.path} is not what {lock} names: {', '.join(left)}")
    module.exit_json(changed=True, found=found, rebuilt=rebuilt)


if __name__ == "__main__":
    main()
