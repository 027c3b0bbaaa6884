"""What the environments of layer 4 are and tell, looked at once for its checks. Not a check itself."""

import importlib.metadata
import json
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, said
from vcbox.checks.driver_look import judge_version
from vcbox.parsers.lock import canonical, parse_lock, parse_record

ROOT = Path("/opt/vault-cube/venvs")
AGAIN = "Run layer 4 again."
PROBE_SECONDS = 300.0
MARK = "vault-cube-probe "
LISTED = 10

# Run by the environment's own Python, as the administrator. A framework that does not import ends it; a GPU that does not answer is told.
TORCH = """
import json, torch
told = {"torch": torch.__version__, "cuda": torch.version.cuda}
def gpus():
    from torch import cuda
    told["archs"] = cuda.get_arch_list()
    told["gpus"] = [".".join(map(str, cuda.get_device_capability(i))) for i in range(cuda.device_count())]
def nccl():
    told["nccl"] = ".".join(map(str, torch.cuda.nccl.version()))
"""
SCIENCE = """
import numpy, pandas, sklearn, matplotlib
told.update({m.__name__: m.__version__ for m in (numpy, pandas, sklearn, matplotlib)})
"""
VLLM = """
import vllm
told["vllm"] = vllm.__version__
def platform():
    from vllm.platforms import current_platform
    told["onCuda"] = bool(current_platform.is_cuda())
"""
TENSORFLOW = """
import json, tensorflow
told = {"tensorflow": tensorflow.__version__}
def gpus():
    build = tensorflow.sysconfig.get_build_info()
    told["cuda"], told["archs"] = build.get("cuda_version"), list(build.get("cuda_compute_capabilities") or [])
    found = tensorflow.config.list_physical_devices("GPU")
    details = [tensorflow.config.experimental.get_device_details(d).get("compute_capability") for d in found]
    told["gpus"] = [".".join(map(str, d)) if d else None for d in details]
def nccl():
    from importlib.metadata import version
    told["nccl"] = version("nvidia-nccl-cu12")
"""
END = """
for part in ({parts}):
    try:
        part()
    except Exception as e:
        told.setdefault("silent", {{}})[part.__name__] = f"{{type(e).__name__}}: {{e}}"[:500]
print({mark!r} + json.dumps(told), flush=True)
"""
PROBES = {
    "torch": TORCH + SCIENCE + END.format(parts="gpus, nccl", mark=MARK),
    "tensorflow": TENSORFLOW + END.format(parts="gpus, nccl", mark=MARK),
    "vllm": TORCH + VLLM + END.format(parts="gpus, nccl, platform", mark=MARK),
}
# Nothing is fetched, reported or written to the administrator's folders by a look.
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def probe(look: Look, name: str) -> Raw:
    """What the environment's framework tells when the administrator imports it: `{status, out, err, told}`; told None without an answer."""
    key = ("probe", name)
    if key not in look.seen:
        look.seen[key] = _probe(look, name)
    return look.seen[key]


def _probe(look: Look, name: str) -> Raw:
    python = str(ROOT / name / "bin" / "python")
    try:
        user = pwd.getpwnam(look.admin)
    except KeyError:
        return {"status": 1, "out": "", "err": f"there is no user {look.admin}", "told": None}
    home = tempfile.mkdtemp(prefix="vault-cube-probe-")
    try:
        os.chown(home, user.pw_uid, user.pw_gid)
        env = [
            "env",
            "--chdir=/",
            f"HOME={home}",
            f"XDG_CACHE_HOME={home}",
            *(f"{k}={v}" for k, v in QUIET.items()),
        ]
        argv = ["runuser", "-u", look.admin, "--", *env, python, "-I", "-c", PROBES[name]]
        raw = look.command(*argv, timeout=PROBE_SECONDS)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    lines = [line for line in raw["out"].splitlines() if line.startswith(MARK)]
    return {**raw, "told": json.loads(lines[-1].removeprefix(MARK)) if lines else None}


def why_silent(raw: Raw) -> str:
    """Why an import failed, in one line: Python's last line of complaint."""
    lines = raw["err"].strip().splitlines()
    return lines[-1][:300] if lines else said(raw)


def silent(raw: Raw, name: str) -> Result | None:
    """The verdict of a check that needs what the probe tells, where it tells nothing; None where it does."""
    if raw["told"] is not None:
        return None
    return judged(
        False, f"{name} does not import: {why_silent(raw)}", "it imports", AGAIN, evidence=raw["err"][-4000:]
    )


def judge_versions(raw: Raw, profile: Profile, name: str, parts: tuple[tuple[str, str], ...]) -> Result:
    """Each `(part, id of the profile's software)` by its floors; the first that is too old decides, else all are told."""
    if stop := silent(raw, name):
        return stop
    found = []
    for part, id in parts:
        # A local version ("2.11.0+cu130") names the build, not a release.
        version = str(raw["told"].get(part) or "none").partition("+")[0]
        result = judge_version(profile, id, version, AGAIN)
        if result.verdict == "fail":
            return replace(result, value=f"{part} {result.value}", threshold=f"{part} {result.threshold}")
        found.append((part, version, result))
    judged_ones = [(part, version, result) for part, version, result in found if result.verdict == "pass"]
    if not judged_ones:
        return replace(found[0][2], value=versions(raw["told"], *(part for part, _ in parts)))
    value = ", ".join(f"{part} {version}" for part, version, _ in found)
    wants = ", ".join(f"{part} {result.threshold}" for part, _, result in judged_ones)
    sources = "; ".join(result.source for _, _, result in judged_ones if result.source)
    return judged(True, value, wants, AGAIN, source=sources or None)


def environment(look: Look, name: str) -> Raw:
    """The environment's files beside its lock file: `{lock, version, packages, damaged, unsafe}`; the first two None where there are none."""
    folder = ROOT / name
    version = look.command(
        str(folder / "bin" / "python"), "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"
    )
    raw: Raw = {"lock": look.read(str(ROOT / "locks" / f"{name}.txt")), "version": version}
    site = folder / "lib" / f"python{version['out'].strip()}" / "site-packages"
    raw["packages"], raw["damaged"] = _packages(site) if version["status"] == 0 else ([], {})
    raw["unsafe"] = _unsafe(folder)
    raw["strays"] = _strays(site) if version["status"] == 0 else []
    return raw


def _packages(site: Path) -> tuple[list[list[str]], dict[str, str]]:
    """`[name, version]` of every package, and the first file of each that is not as it was installed."""
    packages, damaged = [], {}
    for dist in importlib.metadata.distributions(path=[str(site)]):
        name = canonical(dist.metadata["Name"] or "")
        packages.append([name, dist.version])
        files = parse_record(dist.read_text("RECORD") or "")
        if not files:
            damaged[name] = "RECORD"
        for file, size in files:
            try:
                if os.stat(site / file).st_size == size:
                    continue
            except OSError:
                pass
            damaged[name] = file
            break
    return sorted(packages), damaged


def _strays(site: Path) -> list[str]:
    """What lies beside the packages and is of none, and would be imported all the same."""
    known = {"__pycache__"}
    for dist in importlib.metadata.distributions(path=[str(site)]):
        known |= {file.split("/")[0] for file, _ in parse_record(dist.read_text("RECORD") or "")}
    try:
        return sorted(name for name in os.listdir(site) if name not in known)
    except OSError:
        return []


def _unsafe(folder: Path) -> list[str]:
    """What another user than root could write, or not read."""
    found = []
    for top, _, files in os.walk(folder):
        for path in (top, *(os.path.join(top, name) for name in files)):
            about = os.lstat(path)
            if stat.S_ISLNK(about.st_mode):
                continue
            wanted = 0o055 if stat.S_ISDIR(about.st_mode) else 0o044
            if about.st_uid != 0 or about.st_mode & 0o022 or about.st_mode & wanted != wanted:
                found.append(path)
    return found[:LISTED]


def judge_environment(raw: Raw) -> Result:
    """Exactly the lock file's packages, whole, root's, readable. `pip` may be there beside them."""
    want = "exactly its lock file's packages"
    if raw["version"]["status"]:
        return judged(False, f"no environment: {said(raw['version'])}"[:300], want, AGAIN)
    if raw["lock"] is None:
        return judged(False, "its lock file is missing", want, AGAIN)
    wanted = parse_lock(raw["lock"])
    there = {name: version for name, version in raw["packages"]}
    texts = []
    for name, version in sorted(wanted.items()):
        if there.get(name) != version:
            texts.append(f"{name} is {there.get(name, 'missing')}, not {version}")
    names = [name for name, _ in raw["packages"]]
    texts += [f"{name} is there more than once" for name in sorted({n for n in names if names.count(n) > 1})]
    texts += [f"{name} is not in the lock file" for name in sorted(set(there) - set(wanted) - {"pip"})]
    texts += [f"{name}: {file} was changed or removed" for name, file in sorted(raw["damaged"].items())]
    texts += [f"{name} is of no package" for name in raw["strays"]]
    texts += [f"{path}: not root's alone to write and everybody's to read" for path in raw["unsafe"]]
    value = (
        "; ".join(texts[:LISTED])
        if texts
        else f"{len(wanted)} packages, Python {raw['version']['out'].strip()}"
    )
    return judged(not texts, value[:1000], want, AGAIN)


def versions(told: dict[str, Any], *names: str) -> str:
    return ", ".join(f"{name} {told[name]}" for name in names if told.get(name))


def judge_import(raw: Raw, name: str, parts: tuple[str, ...]) -> Result:
    if stop := silent(raw, name):
        return stop
    return judged(True, versions(raw["told"], *parts), "it imports", AGAIN)


def untold(raw: Raw, part: str, name: str) -> Result | None:
    """An error where the framework was imported but a question to it failed."""
    why = (raw["told"].get("silent") or {}).get(part)
    return error(f"{name}: {why}", "Run the check again; then run layer 4 again.") if why else None
