"""Makes stand-in wheels of layer 4 and lock files for them: <folder with the role's lock files> <folder with the modules' text> <out>.

Real names and the versions that the role's lock files pin, for any Python 3; inside is next to nothing, and it says that it is a
stand-in. The same inputs give the same bytes.
"""

import hashlib
import re
import sys
import zipfile
from pathlib import Path

PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==([^\s\\]+)", re.MULTILINE)
# What each environment holds, a few of its real packages.
ENVIRONMENTS = {
    "torch": [
        "torch",
        "numpy",
        "pandas",
        "scikit-learn",
        "matplotlib",
        "nvidia-nccl-cu13",
    ],
    "tensorflow": ["tensorflow", "numpy", "nvidia-nccl-cu12"],
    "vllm": [
        "vllm",
        "torch",
        "numpy",
        "nvidia-nccl-cu13",
        "flashinfer-python",
        "flashinfer-cubin",
    ],
}
# The module of a package that has another name.
MODULES = {
    "scikit-learn": "sklearn",
    "flashinfer-python": "flashinfer",
    "flashinfer-cubin": "flashinfer_cubin",
}
DATE = (2026, 1, 1, 0, 0, 0)
GENERIC = '"""Stand-in: it has a version and nothing else."""\n\nSTAND_IN = True\n__version__ = "@VERSION@"\n'


def content(name: str, texts: Path) -> dict[str, str]:
    """A package's files by their paths in the wheel."""
    module = MODULES.get(name, name)
    if name.startswith("nvidia-"):
        return {
            f"nvidia/{name.split('-')[1]}/stand_in_{name[-4:]}.txt": "stand-in: there is no library here\n"
        }
    folder = texts / module
    if folder.is_dir():
        return {
            str(p.relative_to(texts)): p.read_text()
            for p in sorted(folder.rglob("*.py"))
        }
    return {f"{module}/__init__.py": GENERIC}


def make_wheel(out: Path, name: str, version: str, texts: Path) -> str:
    """Writes the wheel; returns its line of a lock file."""
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    files = {
        path: text.replace("@VERSION@", version)
        for path, text in content(name, texts).items()
    }
    about = "Summary: stand-in for tests; it computes nothing\nClassifier: Private :: Do Not Upload\n"
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{about}"
    )
    files[f"{info}/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: stand-in\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = "".join(f"{path},,{len(text.encode())}\n" for path, text in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    path = out / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(zipfile.ZipInfo(file, DATE), text)
    return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def main(locks: Path, texts: Path, out: Path) -> None:
    out.mkdir()
    lines: dict[tuple[str, str], str] = {}
    for environment, names in ENVIRONMENTS.items():
        pins = dict(PIN.findall((locks / f"{environment}-py312.txt").read_text()))
        for name in names:
            key = (name, pins[name])
            lines[key] = lines.get(key) or make_wheel(out, *key, texts)
        text = "".join(lines[(name, pins[name])] for name in sorted(names))
        (out / f"{environment}.txt").write_text(
            f"# Stand-in wheels in the versions of the role's {environment}-py312.txt.\n{text}"
        )


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
