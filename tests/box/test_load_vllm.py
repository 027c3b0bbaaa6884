"""T4: the real program of the suite against a recorded OpenAI-compatible server in vLLM's place. No vLLM has run here."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from vcbox import checks, load
from vcbox.checks import frameworks_look, vllm_look
from vcbox.checks.base import Result

from loads import PROFILE, look, rows

REPLAY = Path(__file__).with_name("openai_replay.py")
RIGHT = {
    "The capital of France is": " Paris, and",
    "1, 2, 3, 4, 5, 6, 7,": " 8, 9, 10",
    "Monday, Tuesday, Wednesday, Thursday,": " Friday, Saturday",
    "The opposite of hot is": " cold.",
}
T4 = [*checks.SUITES["vllm"], "t6_vllm"]


class Site:
    """A box with a model, whose vLLM is the replay."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.models = folder / "models"
        self.model("mistral-7b")
        self.recording = folder / "recording.json"
        self.replays()
        python = folder / "venvs" / "vllm" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.symlink_to(sys.executable)
        monkeypatch.setattr(vllm_look, "MODELS", (folder / "none", self.models))
        monkeypatch.setattr(frameworks_look, "ROOT", folder / "venvs")
        # As the box has it, vLLM's command lies beside the environment's python.
        command = python.parent / "vllm"
        command.write_text(
            f'#!{sys.executable}\nimport os, sys\nport = sys.argv[sys.argv.index("--port") + 1]\n'
            f'open({str(folder / "argv")!r}, "w").write(" ".join(sys.argv[1:]))\n'
            f"os.execv(sys.executable, [sys.executable, {str(REPLAY)!r}, {str(self.recording)!r}, port])\n"
        )
        command.chmod(0o755)
        self.argv = folder / "argv"

    def model(self, name: str, heads: int = 32) -> Path:
        found = self.models / name
        found.mkdir(parents=True, exist_ok=True)
        about = {"architectures": ["MistralForCausalLM"], "num_attention_heads": heads}
        (found / "config.json").write_text(json.dumps(about))
        return found

    def replays(self, **change: Any) -> None:
        usual = {"startSeconds": 0.3, "answers": RIGHT, "tokensPerSecond": 400.0}
        self.recording.write_text(json.dumps(usual | change))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path, monkeypatch)


def profile(silence: float = 20.0) -> dict[str, Any]:
    vllm = {**PROFILE["load"]["vllm"], "requests": {"value": 4, "source": "the test"}}
    vllm["tokens"] = {"value": 16, "source": "the test"}
    return {
        **PROFILE,
        "load": {**PROFILE["load"], "vllm": vllm, "silenceSeconds": {"max": silence, "source": "t"}},
    }


def suite(used: float = 28100, on: dict[str, Any] | None = None) -> dict[str, Result]:
    here = look(profile=on or profile())
    found = {}
    for id in T4:
        module = checks.load(id)
        assert module
        raw = module.gather(here)
        for window in (raw.get("run") or {"windows": {}})["windows"].values():
            if window["end"] is not None:
                rows(window, 10, memory__used=used)
        found[id] = module.judge(raw, here.profile)
    return found


def test_a_server_that_answers_rightly_passes(site: Site) -> None:
    found = suite()
    assert {id: r.verdict for id, r in found.items() if id != "t6_vllm"} == dict.fromkeys(T4[:-1], "pass")
    assert found["t6_vllm"].verdict == "not_supported" and float(str(found["t6_vllm"].value)) > 10
    assert found["t4_output"].value == "4 of 4"
    assert found["t4_memory"].value == 28100 and found["t4_memory"].threshold == "below 32768 MiB on each"
    argv = site.argv.read_text()
    assert "--host 127.0.0.1" in argv and "--tensor-parallel-size 2" in argv and "--enforce-eager" in argv


def test_two_tokens_a_second_are_found(site: Site) -> None:
    site.replays(tokensPerSecond=2.0)
    on = profile()
    on["load"]["vllm"]["tokens"] = {"value": 4, "source": "the test"}
    found = suite(on=on)["t4_throughput"]
    assert found.verdict == "fail" and 0.5 < float(str(found.value)) <= 2 and found.unit == "tokens/s"
    assert found.threshold == "more than 10 tokens/s" and found.source


def test_wrong_tokens_are_found(site: Site) -> None:
    site.replays(answers={**RIGHT, "The capital of France is": " the the the the"})
    found = suite()["t4_output"]
    assert found.verdict == "fail" and "1 of 4 wrong: 'The capital of France is'" in str(found.value)
    assert found.next and "Paris" in str(found.evidence)


def test_too_much_memory_is_found(site: Site) -> None:
    assert suite(used=40000)["t4_memory"].verdict == "fail"


def test_requests_that_fail_are_found(site: Site) -> None:
    site.replays(fail=True)
    found = suite()
    assert found["t4_loads"].verdict == "fail" and "500" in str(found["t4_loads"].value)
    assert not [id for id, r in found.items() if r.verdict == "pass"]


def test_a_server_that_hangs_at_its_start_is_ended(site: Site) -> None:
    site.replays(hang=True)
    start = time.monotonic()
    found = suite(on=profile(silence=5.0))
    assert time.monotonic() - start < 60
    assert found["t4_loads"].verdict == "fail" and "was never ready: it hangs" in str(found["t4_loads"].value)
    assert {r.verdict for id, r in found.items() if id != "t4_loads"} == {"not_run"}
    assert not [p for p in load.procs.snapshot() if str(site.recording).encode() in cmdline(p)]


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_random_weights_prove_the_machinery_and_never_pass(site: Site) -> None:
    (site.models / "mistral-7b" / "vault-cube-random-weights").touch()
    site.replays(answers={})
    found = suite()
    assert "pass" not in {r.verdict for r in found.values()}
    for id in ("t4_loads", "t4_throughput", "t4_memory", "t4_output"):
        assert found[id].verdict == "not_run" and "random weights" in str(found[id].reason)


def test_what_lies_with_the_model_says_how_it_goes_on(site: Site) -> None:
    expected = [{"prompt": "Bonjour, je", "expect": ["suis"]}]
    (site.models / "mistral-7b" / vllm_look.EXPECTED).write_text(json.dumps(expected))
    site.replays(answers={"Bonjour, je": " m'appelle"})
    assert "1 of 1 wrong" in str(suite()["t4_output"].value)


def test_without_a_model_that_fits_nothing_runs(site: Site) -> None:
    site.model("mistral-7b", heads=15)
    found = suite()
    assert {r.verdict for r in found.values()} == {"not_run"}
    assert "15 attention heads, which 2 GPUs cannot share" in str(found["t4_loads"].reason)
    (site.models / "mistral-7b" / "config.json").unlink()
    assert "there is no model in" in str(suite()["t4_loads"].reason)
    assert not site.argv.exists()
