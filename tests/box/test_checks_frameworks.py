"""The checks of layer 4: judges on what real frameworks told, and the look at an environment on one that is made here."""

import json
import os
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
from vcbox import checks
from vcbox.checks import frameworks_look
from vcbox.checks.base import Look, Result
from vcbox.parsers.lock import covers, parse_lock, parse_record
from vcbox.parsers.nvidia_smi import parse_query_xml

from conftest import FIXTURES, REPO
from items import assert_item, judged

PROFILES = {
    n: json.loads((REPO / "resources" / "profiles" / f"{n}.json").read_text())
    for n in ("two-h100", "vault-cube")
}
PROFILE = PROFILES["two-h100"]
SMI = (FIXTURES / "nvidia-smi-2xh100" / "q-idle.xml").read_text()


def told(name: str, **change: Any) -> dict[str, Any]:
    """A probe as it was recorded, with some of its values changed."""
    found = json.loads((FIXTURES / "frameworks" / f"{name}.json").read_text())
    return {"status": 0, "out": "", "err": "", "told": {**found, **change}}


GPUS: dict[str, Any] = {"archs": ["sm_75", "sm_90", "sm_120"], "gpus": ["9.0", "9.0"]}
TORCH = told("torch-2xh100")
# Without a GPU two of them told of none; what they would tell with two is put in.
TENSORFLOW = told("tensorflow-no-gpu", gpus=["9.0", "9.0"])
VLLM = told("vllm-no-gpu", onCuda=True, **GPUS)
DEAD = {"status": 1, "out": "", "err": "Traceback\nModuleNotFoundError: No module named 'x'\n", "told": None}
ALL = {"torch": TORCH, "tensorflow": TENSORFLOW, "vllm": VLLM}

LOCK = "a==1.0 \\\n    --hash=sha256:0\nb-c==2.0 \\\n    --hash=sha256:0\n"
VERSION = {"status": 0, "out": "3.12\n", "err": ""}
ENVIRONMENT: dict[str, Any] = {
    "lock": LOCK,
    "version": VERSION,
    "damaged": {},
    "strays": [],
    "unsafe": [],
    "packages": [["a", "1.0"], ["b-c", "2.0"], ["pip", "24.0"]],
}


def smi(count: int = 2) -> dict[str, Any]:
    query = parse_query_xml(SMI)
    return {"status": 0, "why": "", "query": {**query, "gpus": query["gpus"][:count]}}


def seen(probe: dict[str, Any], **change: Any) -> dict[str, Any]:
    return {"probe": {**probe, "told": {**probe["told"], **change}} if probe["told"] else probe, "smi": smi()}


def judge(id: str, raw: Any, profile: dict[str, Any] = PROFILE) -> Result:
    return judged(id, raw, profile)


def environment(**change: Any) -> dict[str, Any]:
    return {**ENVIRONMENT, **change}


# Check, as it should be, broken, and a word that the verdict on the broken one must say.
TABLE: list[tuple[str, Any, Any, str]] = [
    *((f"l4_{n}_import", probe, DEAD, "No module named 'x'") for n, probe in ALL.items()),
    ("l4_torch_version", TORCH, told("torch-2xh100", torch="1.13.1"), "torch 1.13.1"),
    ("l4_torch_version", TORCH, told("torch-2xh100", cuda="12.1"), "cuda 12.1"),
    ("l4_torch_version", TORCH, DEAD, "does not import"),
    ("l4_tensorflow_version", TENSORFLOW, told("tensorflow-no-gpu", tensorflow="1.15"), "tensorflow 1.15"),
    ("l4_vllm_version", VLLM, told("vllm-no-gpu", vllm="0.9.2"), "vllm 0.9.2"),
    ("l4_nccl", ALL, {**ALL, "vllm": told("vllm-no-gpu", nccl="2.26.2")}, "vllm 2.26.2"),
    ("l4_nccl", ALL, {**ALL, "tensorflow": DEAD}, "tensorflow does not import"),
    ("l4_torch_gpus", seen(TORCH), seen(TORCH, gpus=["9.0"]), "1 of 2"),
    ("l4_torch_gpus", seen(TORCH), seen(TORCH, gpus=["9.0", "8.0"]), "8.0"),
    ("l4_torch_gpus", seen(TORCH), seen(TORCH, archs=["sm_80", "sm_120"]), "kernels for sm_80, sm_120"),
    ("l4_torch_gpus", seen(TORCH), seen(DEAD), "does not import"),
    ("l4_tensorflow_gpus", seen(TENSORFLOW), seen(TENSORFLOW, gpus=[]), "0 of 2"),
    ("l4_vllm_gpus", seen(VLLM), seen(VLLM, gpus=[]), "0 of 2"),
    ("l4_vllm_gpus", seen(VLLM), seen(VLLM, onCuda=False), "not take the platform for CUDA"),
    ("l4_disk", {"free": 4 * 2**30}, {"free": 2**30}, "1.0"),
]
for name in ALL:
    TABLE += [
        (
            f"l4_{name}_environment",
            environment(),
            environment(version={"status": 127, "out": "", "err": "no such file"}),
            "no such file",
        ),
        (f"l4_{name}_environment", environment(), environment(lock=None), "lock file is missing"),
        (
            f"l4_{name}_environment",
            environment(),
            environment(packages=[["a", "1.1"], ["b-c", "2.0"]]),
            "a is 1.1, not 1.0",
        ),
        (f"l4_{name}_environment", environment(), environment(packages=[["a", "1.0"]]), "b-c is missing"),
        (
            f"l4_{name}_environment",
            environment(),
            environment(packages=[*ENVIRONMENT["packages"], ["d", "1"]]),
            "d is not in the lock file",
        ),
        (
            f"l4_{name}_environment",
            environment(),
            environment(packages=[*ENVIRONMENT["packages"], ["a", "1.0"]]),
            "a is there more than once",
        ),
        (
            f"l4_{name}_environment",
            environment(),
            environment(damaged={"a": "a/x.py"}),
            "a/x.py was changed or removed",
        ),
        (
            f"l4_{name}_environment",
            environment(),
            environment(strays=["sitecustomize.py"]),
            "sitecustomize.py is of no package",
        ),
        (f"l4_{name}_environment", environment(), environment(unsafe=["/opt/x"]), "/opt/x"),
    ]


@pytest.mark.parametrize(("id", "good", "bad", "word"), TABLE)
def test_each_item(id: str, good: Any, bad: Any, word: str) -> None:
    assert_item(judge, id, good, bad, word)


def test_every_check_of_layer_4_is_in_the_table() -> None:
    assert {row[0] for row in TABLE} == set(checks.LAYER_CHECKS[4])


def test_without_kernels_for_the_card_tensorflow_is_not_supported_and_pytorch_fails() -> None:
    cube = PROFILES["vault-cube"]
    four = {"archs": ["sm_80", "compute_90"], "gpus": ["12.0"] * 4}
    found = judge("l4_tensorflow_gpus", seen(TENSORFLOW, **four), cube)
    assert found.verdict == "not_supported" and found.reason and "12.0" in found.reason
    assert cube["expectations"]["l4_tensorflow_gpus"]["verdicts"] == ["not_supported"]
    assert judge("l4_torch_gpus", seen(TORCH, **four), cube).verdict == "fail"
    assert judge("l4_torch_gpus", seen(TORCH, gpus=["12.0"] * 4), cube).verdict == "pass"


def test_without_a_driver_no_framework_is_asked_for_gpus() -> None:
    raw = {**seen(TORCH), "smi": {"status": 127, "why": "not found", "query": None}}
    for name in ("torch", "tensorflow", "vllm"):
        assert judge(f"l4_{name}_gpus", raw).verdict == "not_run"


def test_a_question_that_fails_is_an_error() -> None:
    found = judge("l4_torch_gpus", seen(TORCH, silent={"gpus": "RuntimeError: CUDA error"}))
    assert found.verdict == "error" and "CUDA error" in str(found.reason)


def test_a_release_that_is_known_to_be_broken_fails() -> None:
    found = judge("l4_torch_version", told("torch-2xh100", torch="2.7.0+cu128"), PROFILES["vault-cube"])
    assert found.verdict == "fail" and "2.26.2" in str(found.value)


@pytest.mark.parametrize(
    ("archs", "capability", "covered"),
    [
        (["sm_90"], "9.0", True),
        (["sm_120"], "12.0", True),
        (["sm_80", "sm_86"], "8.9", True),
        (["sm_89"], "8.6", False),
        (["sm_80", "compute_90"], "9.0", True),
        (["sm_80", "compute_90"], "12.0", False),
        (["sm_100"], "12.0", False),
        (["sm_90a"], "9.0", False),
        ([], "9.0", False),
    ],
)
def test_kernels_for_a_card(archs: list[str], capability: str, covered: bool) -> None:
    assert covers(archs, capability) is covered


def test_locks_and_records() -> None:
    assert parse_lock(f"# comment\n{LOCK}") == {"a": "1.0", "b-c": "2.0"}
    assert parse_record('a/x.py,sha256=1,12\n"a/y,z.py",sha256=1,3\na/RECORD,,\n') == [
        ("a/x.py", 12),
        ("a/y,z.py", 3),
    ]


class Home:
    """An environment with one package, as pip leaves it, in a folder that stands for /opt/vault-cube/venvs."""

    def __init__(self, base: Path) -> None:
        self.base = base
        venv.create(base / "torch", with_pip=False, symlinks=True)
        self.site = next((base / "torch" / "lib").glob("python*")) / "site-packages"
        (self.site / "a").mkdir()
        (self.site / "a" / "__init__.py").write_text("x = 1\n")
        info = self.site / "a-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: a\nVersion: 1.0\n")
        (info / "RECORD").write_text(
            "a/__init__.py,sha256=x,6\na-1.0.dist-info/METADATA,sha256=x,43\na-1.0.dist-info/RECORD,,\n"
        )
        (base / "locks").mkdir()
        (base / "locks" / "torch.txt").write_text("a==1.0 \\\n    --hash=sha256:0\n")

    def look(self) -> Result:
        return frameworks_look.judge_environment(frameworks_look.environment(Look(), "torch"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    if os.geteuid() != 0:
        pytest.skip("the environments belong to root")
    monkeypatch.setattr(frameworks_look, "ROOT", tmp_path)
    return Home(tmp_path)


def test_an_environment_as_it_should_be(home: Home) -> None:
    found = home.look()
    assert found.verdict == "pass", found


def test_what_is_changed_in_an_environment_is_found(home: Home) -> None:
    file = home.site / "a" / "__init__.py"
    file.write_text("x = 1000\n")
    assert "a: a/__init__.py was changed" in str(home.look().value)
    file.unlink()
    assert "a: a/__init__.py was changed or removed" in str(home.look().value)
    file.write_text("x = 1\n")
    file.chmod(0o666)
    assert str(file) in str(home.look().value)
    file.chmod(0o644)
    (home.site / "sitecustomize.py").write_text("")
    assert "sitecustomize.py is of no package" in str(home.look().value)
    (home.site / "sitecustomize.py").unlink()
    assert home.look().verdict == "pass"
    (home.base / "torch" / "bin" / "python").unlink()
    assert "no environment" in str(home.look().value)


def test_a_probe_tells_what_a_framework_says_and_where_it_is_silent(tmp_path: Path) -> None:
    """The probe's text itself, run on a module that answers some questions and not others."""
    (tmp_path / "tensorflow.py").write_text(
        "__version__ = '2.0'\nclass sysconfig:\n    get_build_info = staticmethod(lambda: {'cuda_version': '12.5'})\n"
        "class config:\n    @staticmethod\n    def list_physical_devices(kind):\n        raise RuntimeError('no such thing')\n"
    )
    text = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n" + frameworks_look.PROBES["tensorflow"]
    raw = Look().command(sys.executable, "-I", "-c", text)
    line = next(x for x in raw["out"].splitlines() if x.startswith(frameworks_look.MARK))
    answer = json.loads(line.removeprefix(frameworks_look.MARK))
    assert answer["tensorflow"] == "2.0" and answer["cuda"] == "12.5"
    assert answer["silent"]["gpus"] == "RuntimeError: no such thing"
