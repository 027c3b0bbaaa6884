"""The load programs themselves, on a processor: their shape, their data, and that a fault in it is seen.

They need PyTorch, which is no part of the tests' environment: VAULT_CUBE_TORCH_PYTHON names a Python that has it. What they measure on a
processor is nothing of a GPU, and no check takes it for that.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from vcbox import checks, load
from vcbox.checks import bench_look, gpu_look

import loads
from conftest import REPO
from loads import PROFILE, Ctx, look

TORCH = os.environ.get("VAULT_CUBE_TORCH_PYTHON")
needs_torch = pytest.mark.skipif(TORCH is None, reason="VAULT_CUBE_TORCH_PYTHON names no Python with PyTorch")
PROGRAMS = sorted(p.stem for p in load.FOLDER.glob("*.py"))


def run(name: str, ranks: int | None = None, **given: Any) -> dict[str, Any]:
    argv = [str(TORCH), "-I", "-B"]
    argv += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks)] if ranks else []
    return load.Bench(Ctx(), None, None).run(
        load.Program([*argv, load.script(name), json.dumps(given)], (300.0, "a slow processor"))
    )


def test_every_program_is_one_that_a_check_runs_or_a_part_of_one() -> None:
    looks = "\n".join(p.read_text() for p in (REPO / "resources/box/vcbox/checks").glob("*_look.py"))
    programs = {p.stem for p in load.FOLDER.glob("*.py") if "__main__" in p.read_text()}
    assert programs == {"ddp_resnet50", "bench_gpu", "vram_test", "soak", "tf_ops", "vllm_serve"}
    assert all(f'"{name}"' in looks for name in programs)


@pytest.mark.parametrize("name", PROGRAMS)
def test_they_compile_and_know_nothing_of_the_runner(name: str) -> None:
    text = Path(load.script(name)).read_text()
    compile(text, name, "exec")
    assert "vcbox" not in text.replace("Nothing of vcbox is here", "").replace("nothing of vcbox is here", "")


def test_a_parameter_that_is_no_object_is_refused() -> None:
    argv = [sys.executable, "-I", "-B", load.script("vllm_serve"), "[1]"]
    assert subprocess.run(argv, capture_output=True, check=False).returncode == 2


@needs_torch
def test_training_with_gloo_runs_and_is_no_pass() -> None:
    small = {"device": "cpu", "batch": 4, "imageSize": 32, "classes": 10, "seconds": 1}
    found = run("ddp_resnet50", 2, **small, warmupSteps=4, lossEvery=2, allreduceMiB=4)
    assert found["why"] is None, found["text"]
    assert sorted(r["rank"] for r in found["records"] if r["at"] == "done") == [0, 1]
    trained = [r for r in found["records"] if r["at"] == "trained"]
    assert all(r["finite"] for r in trained) and found["windows"]["ddp-2"]["end"]
    summed = next(r for r in found["records"] if r.get("what") == "allreduce")
    assert summed["wrong"] == 0 and summed["busGBps"] > 0
    module = checks.load("t2_ranks")
    assert module
    raw = {"refused": None, "smi": {"status": 0, "why": "", "query": {"gpus": [1, 2]}}, "ran": True}
    assert module.judge({**raw, "gpus": 2, "runs": {"2": found}}, PROFILE).verdict == "not_run"


@needs_torch
def test_the_model_is_resnet_50() -> None:
    code = f"import sys; sys.path.insert(0, {str(load.FOLDER)!r}); from resnet import resnet50; print(sum(p.numel() for p in resnet50().parameters()))"
    done = subprocess.run([str(TORCH), "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "25557032"


@needs_torch
def test_copies_are_verified_and_judged() -> None:
    given = {"devices": ["cpu", "cpu"], "matrix": 128, "seconds": 0.1, "mib": 4}
    found = run("bench_gpu", **given, parts=["gemm", "memory", "host", "peer"])
    assert found["why"] is None, found["text"]
    told = [r for r in found["records"] if r["at"] == "measured"]
    assert {r["what"] for r in told} == {"gemm", "memory", "h2d", "d2h", "peer"}
    assert all(r.get("wrong", 0) == 0 and r.get("right", True) for r in told)
    raw = {"refused": None, "smi": look_at(), "ran": True, "gpus": 2, "run": found}
    slow = bench_look.copies(raw, PROFILE, "h2d", "hostToDeviceGBps", "mend it")
    assert slow.verdict == "fail" and "all data right" in str(slow.threshold)


@needs_torch
def test_a_copy_that_changes_a_word_is_seen() -> None:
    """The comparing itself: a word of what arrived is changed behind its back."""
    code = f"""
import sys; sys.path.insert(0, {str(load.FOLDER)!r}); sys.argv = ["x"]
import torch, bench_gpu
copy = torch.Tensor.copy_
def broken(self, source, **more):
    copy(self, source, **more)
    if self.dtype == torch.int64 and self.numel() > 1000:
        self[7] += 1
    return self
torch.Tensor.copy_ = broken
bench_gpu.peer(torch, {{**bench_gpu.DEFAULTS, "mib": 1, "seconds": 0.05}}, [torch.device("cpu")] * 2)
"""
    done = subprocess.run([str(TORCH), "-c", code], capture_output=True, text=True, check=True)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(r["wrong"] > 0 for r in told if r["at"] == "measured")


@needs_torch
def test_memory_that_forgets_is_seen() -> None:
    good = run("vram_test", devices=["cpu"], mib=64, blockMiB=4)
    assert next(r for r in good["records"] if r["at"] == "measured")["wrong"] == 0
    code = f"""
import sys; sys.path.insert(0, {str(load.FOLDER)!r})
import torch, vram_test
block = torch.empty(4096, dtype=torch.int64)
for name in vram_test.PATTERNS:
    vram_test.fill(torch, block, name, 12288)
    assert vram_test.compare(torch, block, name, 12288) == (0, [])
    # A line of the address that leads to the wrong place, and a bit that fell.
    block[5] = block[5] ^ 1
    count, first = vram_test.compare(torch, block, name, 12288)
    assert count == 1 and first[0].startswith("word 12293: 0x"), first
"""
    subprocess.run([str(TORCH), "-c", code], check=True)


@needs_torch
def test_a_product_that_differs_is_counted() -> None:
    code = f"""
import sys; sys.path.insert(0, {str(load.FOLDER)!r})
import torch, soak
p = {{**soak.DEFAULTS, "matrix": 64, "mib": 32, "blockMiB": 1, "roundSeconds": 0.1}}
card = soak.Card(torch, p, 0, torch.device("cpu")); card.prepare()
card.compute(); card.remember()
assert card.wrongProducts == card.wrongWords == 0 and card.products >= 8
card.wanted[3, 3] += 1
card.blocks[card.next][9] ^= 4
card.compute(); card.remember()
assert card.wrongProducts >= 8 and card.wrongWords == 1, (card.wrongProducts, card.wrongWords)
"""
    subprocess.run([str(TORCH), "-c", code], check=True)


@needs_torch
def test_the_soak_ends_when_its_time_is_up() -> None:
    small = {"devices": ["cpu", "cpu"], "matrix": 128, "mib": 48, "blockMiB": 4, "roundSeconds": 0.3}
    found = run("soak", **small, seconds=3, progressSeconds=1)
    assert found["why"] is None, found["text"]
    told = [r for r in found["records"] if r["at"] == "measured"]
    assert [r["gpu"] for r in told] == [0, 1] and all(r["rounds"] and not r["wrongProducts"] for r in told)


def look_at() -> dict[str, Any]:
    return gpu_look.gather(look())


def test_the_stand_ins_print_what_the_programs_print() -> None:
    """Each record of the stand-ins has the names that the program's source gives it."""
    for name, lines in (
        ("ddp_resnet50", loads.ddp(2, 1.0)),
        ("bench_gpu", loads.bench()),
        ("vram_test", loads.vram()),
        ("soak", loads.soak(1.0)),
        ("tf_ops", loads.tensorflow()),
    ):
        source = "".join((load.FOLDER / f"{part}.py").read_text() for part in (name, "allreduce", "common"))
        for one in lines:
            assert f'"{one["at"]}"' in source, (name, one)
            for field in set(one) - {"at", "mono"}:
                assert f"{field}=" in source or f'"{field}"' in source, (name, field)
