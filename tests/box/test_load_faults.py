"""Faults that the load suites are there to find: each is planted into what a healthy machine's programs print, found, and named by its check."""

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from vcbox import checks
from vcbox.checks import frameworks_look, window_look
from vcbox.checks.base import Look, Result, run_check

import loads
from loads import CUBE, PROFILE, Environments, look, rows


@pytest.fixture
def environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environments:
    """Two healthy H100, whatever is planted then."""
    found = Environments(tmp_path)
    monkeypatch.setattr(frameworks_look, "ROOT", tmp_path)
    found.says("ddp_resnet50-1", loads.ddp(1, 3935.0))
    found.says("ddp_resnet50-2", loads.ddp(2, 7817.0))
    found.says("bench_gpu", loads.bench())
    found.says("vram_test", loads.vram())
    found.says("tf_ops", loads.tensorflow())
    found.says("soak", loads.soak(86400.0))
    return found


def gathered(id: str, at: Look) -> Any:
    module = checks.load(id)
    assert module
    return module.gather(at)


def judged(id: str, raw: Any, profile: dict[str, Any] = PROFILE) -> Result:
    module = checks.load(id)
    assert module
    return module.judge(raw, profile)


def suite(ids: list[str], at: Look, change: dict[str, Any] | None = None) -> dict[str, Result]:
    """All checks of a suite on what one run printed, with telemetry of its windows."""
    raws = {id: gathered(id, at) for id in ids}
    for raw in raws.values():
        for run in (raw.get("runs") or {"": raw.get("run") or {"windows": {}}}).values():
            for window in run["windows"].values():
                if window["end"] is not None:
                    rows(window, **(change or {}))
    return {id: judged(id, raw) for id, raw in raws.items()}


DDP = [id for id in checks.SUITES["pytorch-ddp"]]
WINDOWS = {id for id in DDP if window_look.rules() is None and id.split("_")[1] in window_look.RULES}
INFORMATIVE = {"t2_images"}
T6 = ["t6_arch", "t6_gemm", "t6_memory", "t6_host_to_device", "t6_device_to_host", "t6_peer", "t6_vram"]


def test_two_healthy_cards_are_found_healthy(environments: Environments) -> None:
    found = suite(DDP, look())
    wrong = {id: r for id, r in found.items() if r.verdict != "pass" and id not in WINDOWS | INFORMATIVE}
    assert wrong == {}
    assert found["t2_efficiency"].value == 99.3 and found["t2_efficiency"].source
    assert found["t2_allreduce"].value == 326.1
    assert found["t2_images"].verdict == "not_supported" and found["t2_images"].value == 7817.0
    assert "ResNet-50, batch 256 a GPU, bf16" in str(found["t2_efficiency"].evidence)
    assert {id: r.verdict for id, r in suite(T6, look()).items()} == dict.fromkeys(T6, "pass")
    same = ["t6_scaling", "t6_allreduce"]
    assert [r.verdict for r in suite(same, look()).values()] == ["pass", "pass"]
    # One after another: one GPU alone, then both, each run once for all checks.
    calls = environments.calls()
    ddp = [call for call in calls if call[0].startswith("ddp")]
    assert [(name, devices) for name, _, devices in ddp] == [
        ("ddp_resnet50-1", "0"),
        ("ddp_resnet50-2", "0,1"),
    ] * 2
    assert '"batch": 256' in ddp[0][1] and '"precision": "bf16"' in ddp[0][1]


# What is planted, the check that must find it, a word of how it names it, and of the suite: which others may still pass.
Plant = Callable[[Environments], dict[str, Any] | None]


def nan(e: Environments) -> None:
    lines = loads.ddp(2, 7817.0)
    for one in lines:
        if one["at"] == "trained" and one["rank"] == 1:
            one.update(finite=False, last="nan")
    e.says("ddp_resnet50-2", lines)


def vanished(e: Environments) -> None:
    lines = [r for r in loads.ddp(2, 7817.0) if r["at"] in ("rank", "initialized", "begin", "step")]
    # As torchrun says it; it ends the other ranks, too.
    said = "E1129 api.py:869] failed (exitcode: -9) local_rank: 1 (pid: 4711) of binary: /opt/venvs/torch/bin/python\n"
    e.says("ddp_resnet50-2", lines, 1, said)


def one_lost_at_the_end(e: Environments) -> None:
    lines = [r for r in loads.ddp(2, 7817.0) if (r["at"], r.get("rank")) != ("done", 1)]
    e.says("ddp_resnet50-2", lines)


def never_joined(e: Environments) -> None:
    err = "NCCL error: unhandled system error\n"
    e.says("ddp_resnet50-2", [r for r in loads.ddp(2, 1.0) if r["at"] == "rank"], 1, err)


def same_card(e: Environments) -> None:
    lines = loads.ddp(2, 7817.0)
    for one in lines:
        if one["at"] == "rank":
            one["uuid"] = loads.UUIDS[0]
    e.says("ddp_resnet50-2", lines)


def hung(e: Environments) -> None:
    lines = [r for r in loads.ddp(2, 7817.0) if r["at"] in ("rank", "initialized", "begin")]
    e.says("ddp_resnet50-2", [*lines, {"do": "hang"}])


def slow_together(e: Environments) -> None:
    e.says("ddp_resnet50-2", loads.ddp(2, 4722.0))


def wrong_sums(e: Environments) -> None:
    lines = loads.ddp(2, 7817.0)
    next(r for r in lines if r.get("what") == "allreduce")["wrong"] = 4096
    e.says("ddp_resnet50-2", lines)


def on_the_cpu(e: Environments) -> None:
    lines = loads.ddp(2, 7817.0)
    for one in lines:
        if one["at"] == "rank":
            one["backend"] = "gloo"
    e.says("ddp_resnet50-2", lines)


def planted(name: str, **change: Any) -> Plant:
    return lambda e: e.says(name, {"bench_gpu": loads.bench, "vram_test": loads.vram}[name](**change))


T2_FAULTS: list[tuple[str, Plant, dict[str, Any], str, str, str]] = [
    ("NaN loss", nan, {}, "t2_loss", "fail", "NaN or infinite on rank 1 of 2"),
    ("one rank vanished", vanished, {}, "t2_ranks", "fail", "on 2 GPUs: rank 1 of 2 vanished"),
    ("one rank has no end", one_lost_at_the_end, {}, "t2_ranks", "fail", "rank 1 of 2 vanished"),
    ("NCCL does not come up", never_joined, {}, "t2_initialize", "fail", "0 of 2 processes"),
    ("two ranks on one card", same_card, {}, "t2_ranks", "fail", "ranks share a card"),
    ("scaling 60 %", slow_together, {}, "t2_efficiency", "fail", "60.0"),
    ("utilization 70 %", lambda _: None, {"utilization__gpu": (99, 70)}, "t2_utilization", "fail", "70.0"),
    ("wrong sums", wrong_sums, {}, "t2_allreduce", "fail", "4096 wrong sums"),
]


@pytest.mark.parametrize(
    ("plant", "change", "id", "verdict", "word"), [f[1:] for f in T2_FAULTS], ids=[f[0] for f in T2_FAULTS]
)
def test_a_fault_in_training_is_found_and_named(
    environments: Environments, plant: Plant, change: dict[str, Any], id: str, verdict: str, word: str
) -> None:
    plant(environments)
    found = suite(DDP, look(), change)
    assert found[id].verdict == verdict and word in str(found[id].value), found[id]
    assert found[id].next and found[id].threshold
    # What could not be measured because of it did not pass either.
    if plant in (vanished, never_joined):
        for other in ("t2_images", "t2_efficiency", "t2_utilization", "t2_allreduce"):
            assert found[other].verdict == "not_run" and "ended with 1" in str(found[other].reason)


def test_a_hung_program_is_ended_and_named(environments: Environments) -> None:
    hung(environments)
    profile = {**PROFILE, "load": {**PROFILE["load"], "silenceSeconds": {"max": 4.0, "source": "the test"}}}
    start = time.monotonic()
    found = suite(DDP, look(profile=profile))
    assert time.monotonic() - start < 60
    assert found["t2_ranks"].verdict == "fail" and "it hangs: nothing was finished for" in str(
        found["t2_ranks"].value
    )
    assert found["t2_efficiency"].verdict == "not_run"
    assert not [id for id, r in found.items() if r.verdict == "pass" and id not in ("t2_initialize",)]


def test_gloo_on_the_cpu_is_no_pass(environments: Environments) -> None:
    on_the_cpu(environments)
    found = suite(DDP, look())
    assert {r.verdict for r in found.values()} == {"not_run"}
    assert "gloo" in str(found["t2_initialize"].reason)


T6_FAULTS: list[tuple[str, Plant, str, str]] = [
    ("arch list without the card", planted("bench_gpu", archs=["sm_80", "sm_86"]), "t6_arch", "GPU 0 is 9.0"),
    (
        "P2P data corrupted",
        planted("bench_gpu", peer={"wrong": 134217728}),
        "t6_peer",
        "GPU 0 to 1: 134217728",
    ),
    ("H2D at half rate", planted("bench_gpu", h2d={"GBps": 27.6}), "t6_host_to_device", "27.6"),
    ("H2D data corrupted", planted("bench_gpu", h2d={"wrong": 7}), "t6_host_to_device", "GPU 1: 7 of"),
    ("D2H at half rate", planted("bench_gpu", d2h={"GBps": 27.4}), "t6_device_to_host", "27.4"),
    ("slow memory", planted("bench_gpu", memory={"GBps": 1400.0}), "t6_memory", "1400"),
    ("slow tensor cores", planted("bench_gpu", gemm={"tflops": 300.0}), "t6_gemm", "too slow in bf16"),
    (
        "a card that computes wrongly",
        planted("bench_gpu", gemm={"right": False, "off": 0.3}),
        "t6_gemm",
        "GPU 1 bf16",
    ),
    (
        "a word of memory wrong",
        planted("vram_test", wrong=1, first=["0x55, word 9: …"]),
        "t6_vram",
        "GPU 1: 1 words",
    ),
]


@pytest.mark.parametrize(("plant", "id", "word"), [f[1:] for f in T6_FAULTS], ids=[f[0] for f in T6_FAULTS])
def test_a_fault_of_a_card_is_found_and_named(
    environments: Environments, plant: Plant, id: str, word: str
) -> None:
    plant(environments)
    found = suite(T6, look())
    assert found[id].verdict == "fail" and word in str(found[id].value), found[id]
    assert found[id].next and found[id].threshold
    assert {r.verdict for other, r in found.items() if other != id} == {"pass"}


def test_a_measurement_that_is_missing_never_passes(environments: Environments) -> None:
    environments.says(
        "bench_gpu", loads.bench()[:5], 1, "RuntimeError: CUDA error: an illegal memory access\n"
    )
    found = suite(T6, look())
    assert {id for id, r in found.items() if r.verdict == "pass"} == {"t6_arch", "t6_vram"}
    assert "illegal memory access" in str(found["t6_peer"].reason)


T3 = checks.SUITES["tensorflow"]


def test_tensorflow_is_judged_by_what_it_computed(environments: Environments) -> None:
    assert {r.verdict for r in suite(T3, look()).values()} == {"pass"}
    environments.says("tf_ops", loads.tensorflow(right=False, why="InternalError: no kernel image"))
    found = suite(T3, look())
    assert found["t3_operations"].verdict == "fail" and "no kernel image" in str(found["t3_operations"].value)
    environments.says("tf_ops", loads.tensorflow(there=False, where="/device:CPU:0"))
    assert "ran on /device:CPU:0" in str(suite(T3, look())["t3_operations"].value)
    environments.says("tf_ops", loads.tensorflow(1))
    found = suite(T3, look())
    assert found["t3_devices"].verdict == "fail" and found["t3_memory"].verdict != "pass"


def test_tensorflow_without_kernels_for_the_card_is_not_supported(environments: Environments) -> None:
    environments.says("tf_ops", loads.tensorflow(right=False, why="InternalError: no kernel image"))
    raw = gathered("t3_operations", look())
    found = judged("t3_operations", raw, CUBE)
    assert found.verdict == "not_supported" and "12.0" in str(found.reason)


@pytest.mark.parametrize(
    "id",
    [id for s in ("pytorch-ddp", "tensorflow", "vllm", "performance", "stress") for id in checks.SUITES[s]],
)
def test_without_consent_and_without_a_word_in_the_profile_nothing_runs(
    environments: Environments, id: str
) -> None:
    module = checks.load(id)
    assert module
    refused = look()
    assert refused.bench
    refused.bench.refused = "nobody agreed to the load"
    result = run_check(module, refused, PROFILE)
    assert (result["verdict"], result["reason"]) == ("not_run", "nobody agreed to the load")
    silent = {k: v for k, v in PROFILE.items() if k != "load"}
    assert run_check(module, look(profile=silent), silent)["verdict"] == "not_supported"
    alone = look()
    alone.seen[("nvidia-smi", "-q", "-x")] = {"status": 127, "out": "", "err": ""}
    assert run_check(module, alone, PROFILE)["verdict"] == "not_run"
    assert not (environments.folder / "calls").exists()


def test_the_rules_on_windows_are_asked_and_their_findings_named(
    environments: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seam: what vcbox.windows is given, and what becomes of what it finds."""
    asked: list[Any] = []
    finding = SimpleNamespace(
        kind="link",
        sentence="GPU 1: the link is Gen5 x8 under load",
        threshold="Gen5 x16",
        source="specification",
        next="Reseat the card.",
    )

    def judge(fields: Any, all_rows: Any, window: Any, profile: Any) -> Any:
        asked.append((len(all_rows), window))
        return SimpleNamespace(
            findings=[finding], kinds=["link", "heat", "gap"], unjudged={"hot": "no temperatureC"}
        )

    rules = SimpleNamespace(judge=judge, Window=lambda **named: named)
    monkeypatch.setattr(window_look, "rules", lambda: rules)
    found = suite(DDP, look())
    assert found["t2_link"].verdict == "fail" and "Gen5 x8" in str(found["t2_link"].value)
    assert found["t2_link"].next == "Reseat the card." and found["t2_link"].source == "specification"
    assert found["t2_throttle"].verdict == "pass" and found["t2_throttle"].value == "nothing found: heat"
    assert found["t2_temperature"].verdict == "not_supported"
    count, window = asked[0]
    assert (count, window["cards"], window["busy"], window["to_target"]) == (90, 2, True, False)
    assert window["until"] - window["since"] == 45
    monkeypatch.setattr(window_look, "rules", lambda: None)
    assert suite(DDP, look())["t2_link"].verdict == "not_run"
