"""The module that keeps environments as their lock files say, with the real venv and pip, on wheels that are made here."""

import hashlib
import importlib.util
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from project import ANSIBLE

SOURCE = ANSIBLE / "roles" / "ai_frameworks" / "library" / "locked_venv.py"


def load_module() -> Any:
    name = "locked_venv"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, SOURCE)
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def wheel(folder: Path, name: str, version: str, text: str = "") -> str:
    """Makes a wheel with one package; returns its line of a lock file."""
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    files = {
        f"{module}/__init__.py": f"__version__ = {version!r}\n{text}",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {module}:print\n",
    }
    record = "".join(f"{path},,{len(text)}\n" for path, text in files.items()) + f"{info}/RECORD,,\n"
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as z:
        for file, content in {**files, f"{info}/RECORD": record}.items():
            z.writestr(file, content)
    return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


class Case:
    def __init__(self, base: Path) -> None:
        self.wheels, self.path, self.lock = base / "wheels", base / "venv", base / "lock.txt"
        self.wheels.mkdir()
        self.lines = [
            wheel(self.wheels, name, "1.0") for name in ("alpha", "beta-b", "delta", "epsilon", "zeta", "eta")
        ]
        self.other = wheel(self.wheels, "alpha", "1.1")
        self.extra = wheel(self.wheels, "gamma", "3.0")
        self.write(*self.lines)

    def write(self, *lines: str) -> None:
        self.lock.write_text("# made by a test\n" + "".join(lines))

    @property
    def site(self) -> Path:
        return next((self.path / "lib").glob("python*")) / "site-packages"

    def run(self, check: bool = False, **more: Any) -> dict[str, Any]:
        out = io.StringIO()
        given = {
            "path": str(self.path),
            "lock": str(self.lock),
            "python": sys.executable,
            "wheels_dir": str(self.wheels),
        }
        with (
            patch_module_args({**given, **more, "_ansible_check_mode": check}),
            redirect_stdout(out),
            pytest.raises(SystemExit),
        ):
            load_module().main()
        return json.loads(out.getvalue())

    def pip(self, *argv: str) -> None:
        python = str(self.path / "bin" / "python")
        options = [
            "--no-index",
            "--find-links",
            str(self.wheels),
            "-q",
            "--disable-pip-version-check",
            "--root-user-action=ignore",
        ]
        command = [python, "-I", "-m", "pip", argv[0], *(options if argv[0] == "install" else ["-q", "-y"]), *argv[1:]]
        subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    found = Case(tmp_path_factory.mktemp("venv"))
    foreseen = found.run(check=True)
    assert (foreseen["changed"], foreseen["found"], found.path.exists()) == (True, ["not there"], False)
    made = found.run()
    assert (made["changed"], made["rebuilt"]) == (True, True), made
    return found


def test_a_second_run_changes_nothing(case: Case) -> None:
    before = {path: path.lstat().st_mtime_ns for path in case.path.rglob("*")}
    assert case.run() == {"changed": False, "found": [], "rebuilt": False, "invocation": case.run()["invocation"]}
    assert {path: path.lstat().st_mtime_ns for path in case.path.rglob("*")} == before


# What somebody does, and what is then found; all of it can be mended in place.
BY_HAND: list[tuple[Callable[[Case], Any], str]] = [
    (lambda c: c.pip("uninstall", "zeta"), "zeta: missing"),
    (lambda c: c.pip("install", "alpha==1.1", "gamma"), "alpha: 1.1 instead of 1.0"),
    (lambda c: None, "gamma: not in the lock file"),
    (lambda c: (c.site / "delta" / "__init__.py").write_text("mine"), "delta: delta/__init__.py was changed"),
    (lambda c: (c.site / "beta_b" / "__init__.py").unlink(), "beta-b: beta_b/__init__.py is missing"),
    (lambda c: (c.path / "bin" / "epsilon").unlink(), "epsilon: ../../../bin/epsilon is missing"),
    (lambda c: (c.site / "sitecustomize.py").write_text(""), "sitecustomize.py: of no package"),
    (lambda c: (c.site / "no_package").mkdir(), "no_package: of no package"),
    (lambda c: (c.site / "eta" / "__init__.py").chmod(0o666), "eta/__init__.py: owner or permissions"),
    (lambda c: (c.site / "eta").chmod(0o700), "site-packages/eta: owner or permissions"),
]


def test_what_was_done_by_hand_is_seen_and_mended_in_place(case: Case) -> None:
    for by, _ in BY_HAND:
        by(case)
    foreseen = case.run(check=True)
    for _, word in BY_HAND:
        assert any(text.endswith(word) for text in foreseen["found"]), word
    assert len(foreseen["found"]) == len(BY_HAND)
    mended = case.run()
    assert (mended["changed"], mended["rebuilt"], mended["found"]) == (True, False, foreseen["found"])
    assert case.run()["changed"] is False


def test_what_pip_alone_cannot_replace_is_mended_in_place(case: Case) -> None:
    next(case.site.glob("alpha-*.dist-info/RECORD")).unlink()
    mended = case.run()
    assert (mended["rebuilt"], mended["found"][0]) == (False, "alpha: its list of files is missing")
    assert case.run()["changed"] is False


def test_a_wheel_that_is_missing_or_another_is_named_before_anything_is_changed(case: Case) -> None:
    case.write(case.other, case.extra.replace("--hash=sha256:", "--hash=sha256:0")[:-2] + "\n")
    found = case.run()
    assert found["failed"] and "lacks gamma 3.0 with one of its hashes. Fetch" in found["msg"]
    case.write(*case.lines, "delta==1 --hash=sha256:0\n")
    found = case.run()
    assert found["failed"] and "lacks delta 1. Fetch" in found["msg"]
    case.write(*case.lines)
    assert case.run()["changed"] is False


def test_without_pip_or_interpreter_it_is_to_be_made_anew(case: Case) -> None:
    away = case.path / "away"
    for path, word in ((case.site / "pip", "pip: pip/"), (case.path / "bin" / "python", "not there")):
        path.rename(away)
        foreseen = case.run(check=True)
        assert foreseen["rebuilt"] is True and foreseen["found"][0].startswith(word)
        away.rename(path)


@pytest.mark.parametrize(
    ("name", "word"), [("pyvenv.cfg", "its pyvenv.cfg is broken"), ("bin/activate", "bin/activate is empty")]
)
def test_what_a_power_cut_left_empty_is_to_be_made_anew(case: Case, name: str, word: str) -> None:
    text = (case.path / name).read_text()
    (case.path / name).write_text("")
    foreseen = case.run(check=True)
    assert (foreseen["rebuilt"], foreseen["found"]) == (True, [word])
    (case.path / name).write_text(text)
    assert case.run()["changed"] is False


def test_a_new_lock_replaces_what_differs(case: Case) -> None:
    case.write(case.other, case.extra, *case.lines[2:])
    changed = case.run()
    assert changed["found"] == ["alpha: 1.0 instead of 1.1", "gamma: missing", "beta-b: not in the lock file"]
    assert changed["rebuilt"] is False and case.run()["changed"] is False


def test_too_small_a_disk_is_said_before_anything_is_changed(case: Case, tmp_path: Path) -> None:
    fresh = tmp_path / "venv"
    found = case.run(path=str(fresh), spare_gib=10**6)
    assert found["failed"] and "Make room" in found["msg"] and not fresh.exists()


@pytest.mark.parametrize("text", ["", "alpha==1.0\n", "alpha>=1.0 --hash=sha256:0\n", "-r other.txt\n"])
def test_what_is_no_lock_file_is_refused(case: Case, tmp_path: Path, text: str) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(text)
    found = case.run(lock=str(lock))
    assert found["failed"] and "is no lock file" in found["msg"]
