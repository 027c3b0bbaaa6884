"""Lock files of layer 4 as files: they agree with their policies, every wheel has its hash, floors hold. Whether they resolve against the index
is asked by tests/integration/locks.test.ts.
"""

import re
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from project import ANSIBLE

LOCKS = ANSIBLE / "roles" / "ai_frameworks" / "files" / "locks"
NAMES = ("torch", "tensorflow", "vllm")
PIN = re.compile(r"([a-z0-9][a-z0-9.-]*)==(\S+)((?: --hash=sha256:[0-9a-f]{64})+)")
# Field facts: what several RTX 5090 need.
NCCL_FLOOR, TORCH_FLOOR, TORCH_BROKEN, VLLM_FLOOR = Version("2.27.5"), Version("2.9"), Version("2.7.0"), Version("0.10")
CUDA = (Version("12.8"), Version("13.1"))


def lock(name: str) -> dict[str, Version]:
    """The pins; fails on a line that is none, or without a hash."""
    found: dict[str, Version] = {}
    text = (LOCKS / f"{name}-py312.txt").read_text()
    for line in text.replace(" \\\n   ", "").splitlines():
        if line.startswith("#"):
            continue
        pin = PIN.fullmatch(line)
        assert pin, f"{name}: {line[:80]}"
        assert pin[1] not in found, f"{name}: {pin[1]} twice"
        found[pin[1]] = Version(pin[2])
    return found


def policy(name: str) -> list[Requirement]:
    lines = (LOCKS / f"{name}.in").read_text().splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("name", NAMES)
def test_the_lock_holds_what_the_policy_wants(name: str) -> None:
    pins, wanted = lock(name), policy(name)
    assert len(pins) > len(wanted) >= 2
    for requirement in wanted:
        version = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is locked as {version}"


@pytest.mark.parametrize("name", NAMES)
def test_no_line_names_a_place(name: str) -> None:
    for path in (LOCKS / f"{name}.in", LOCKS / f"{name}-py312.txt"):
        assert not re.search(r"://|^-|\s@\s", path.read_text(), re.MULTILINE), path.name


@pytest.mark.parametrize("name", NAMES)
def test_every_floor_has_its_reason(name: str) -> None:
    """A line of policy stands below a comment, or in a block of plain ones."""
    for block in (LOCKS / f"{name}.in").read_text().strip().split("\n\n"):
        bounded = any(re.search(r"[<!]", line) for line in block.splitlines() if not line.startswith("#"))
        assert block.startswith("#") or not bounded


def test_what_several_cards_need() -> None:
    torch, tensorflow, vllm = (lock(name) for name in NAMES)
    for pins in (torch, vllm):
        assert pins["torch"] >= TORCH_FLOOR and pins["torch"] != TORCH_BROKEN
        assert pins["nvidia-nccl-cu13"] >= NCCL_FLOOR
        assert CUDA[0] <= pins["cuda-toolkit"] < CUDA[1]
    assert tensorflow["nvidia-nccl-cu12"] >= NCCL_FLOOR and tensorflow["tensorflow"].major == 2
    assert vllm["vllm"] >= VLLM_FLOOR


def test_vllm_has_its_kernels_with_it() -> None:
    """Else it downloads and compiles them when it starts."""
    pins = lock("vllm")
    assert pins["flashinfer-cubin"] == pins["flashinfer-python"]


def test_the_science_stack_is_beside_pytorch() -> None:
    assert {"torch", "numpy", "pandas", "scikit-learn", "matplotlib"} <= set(lock("torch"))


def test_what_environments_share_has_one_version() -> None:
    """A bundle carries each wheel once."""
    first = lock("vllm")
    for name in ("torch", "tensorflow"):
        unlike = {n: (str(v), str(first[n])) for n, v in lock(name).items() if n in first and first[n] != v}
        assert unlike == {}


def test_the_lock_is_read_by_the_module_as_it_is_here() -> None:
    from test_locked_venv import load_module

    for name in NAMES:
        found = load_module().read_lock((LOCKS / f"{name}-py312.txt").read_text())
        assert {n: Version(version) for n, (version, _) in found.items()} == lock(name)


def test_the_documented_numbers_are_those_of_the_locks() -> None:
    text = (LOCKS / "README.md").read_text()
    sizes = yaml.safe_load((ANSIBLE / "roles" / "ai_frameworks" / "vars" / "main.yml").read_text())["ai_frameworks_gib"]
    assert set(sizes) == set(NAMES)
    for name in NAMES:
        row = re.search(rf"^\| {name} \| (\d+) \| [\d.]+ \| ([\d.]+) \|", text, re.MULTILINE)
        assert row and int(row[1]) == len(lock(name)), name
        assert float(row[2]) <= sizes[name] < float(row[2]) + 1.5
    for words in (
        f"PyTorch {lock('torch')['torch']} ",
        f"TensorFlow {lock('tensorflow')['tensorflow']} ",
        f"vLLM {lock('vllm')['vllm']} ",
    ):
        assert words in text


def test_nothing_else_lies_there() -> None:
    wanted = {"README.md", *(f"{name}.in" for name in NAMES), *(f"{name}-py312.txt" for name in NAMES)}
    assert {path.name for path in Path(LOCKS).iterdir()} == wanted
