"""vLLM's server with a model over all GPUs, run once a job for the checks of T4 and for T6's throughput. Not a check itself."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from vcbox.checks import load_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_run
from vcbox.paths import Paths

SUITE = "vllm"
ADVICE = "Look at what the server said; run layer 4's health check, then the suite again."
# Where a person or layer 5 puts one, and where the set `models` of a site bundle is fetched to.
PLACED, FETCHED = Path("/opt/vault-cube/models"), Paths().tree / "models"
MODELS = (PLACED, FETCHED)
EXPECTED = "vault-cube-expected.json"
KEYS = ("maxModelLen", "memoryFraction", "enforceEager", "tokens", "requests")


def model_of(look: Look) -> Path | None:
    """The profile's by name, else the first of the box's models; None without one."""
    there = [path.parent for folder in MODELS for path in sorted(folder.glob("*/config.json"))]
    wanted = load_look.setting(look.profile, "vllm", "model")
    return next((path for path in there if wanted in (None, path.name)), None)


def prompts_of(look: Look, model: Path) -> list[dict[str, Any]]:
    """`{prompt, expect: [words]}`: what lies with the model, else the profile's."""
    try:
        found = json.loads((model / EXPECTED).read_text())
    except (OSError, ValueError):
        found = load_look.setting(look.profile, "vllm", "prompts", default=[])
    return found if isinstance(found, list) else []


def unfit(model: Path, gpus: int) -> str | None:
    """Why the model cannot be spread over so many GPUs; None where it can."""
    try:
        heads = json.loads((model / "config.json").read_text()).get("num_attention_heads")
    except (OSError, ValueError, AttributeError) as e:
        return f"{model}/config.json cannot be read: {e}"
    if isinstance(heads, int) and heads % gpus:
        return f"{model.name} has {heads} attention heads, which {gpus} GPUs cannot share"
    return None


def gather(look: Look) -> Raw:
    """`{refused, smi, gpus, model, weights, prompts, run}`; `why` and no run where no model fits."""

    def run(gpus: int) -> Raw:
        assert look.bench
        model = model_of(look)
        why = f"there is no model in {' or '.join(map(str, MODELS))}" if model is None else unfit(model, gpus)
        if model is None or why:
            return {"gpus": gpus, "model": model and model.name, "why": why, "prompts": 0, "run": None}
        prompts = prompts_of(look, model)
        given = load_look.settings(look.profile, "vllm", *KEYS)
        given |= {"model": str(model), "gpus": gpus, "prompts": prompts}
        program = load_look.program(look, "vllm", "vllm_serve", json.dumps(given))
        done = look.bench.run(program)
        told = load_look.records(done, "model")
        weights = told[0]["weights"] if told else None
        found = {"gpus": gpus, "model": model.name, "why": None, "weights": weights}
        return {**found, "prompts": len(prompts), "run": done}

    return load_look.gather(look, "vllm", run)


def stop(raw: Raw) -> Result | None:
    if found := load_look.stop(raw):
        return found
    if raw["why"]:
        return not_run(raw["why"], f"Bring a model directory; it belongs in {MODELS[0]}.")
    return None


def only(raw: Raw, found: Result) -> Result:
    """A model of random weights shows that the machinery runs and is never a pass."""
    if raw["weights"] != "random" or found.verdict != "pass":
        return found
    reason = f"{raw['model']} has random weights: the machinery ran ({found.value}), no model was tested"
    return replace(
        found, verdict="not_run", reason=reason, next="Bring a trained model and run the suite again."
    )


def throughput(raw: Raw, profile: Profile, kind: str, least: str) -> Result:
    """Tokens a second of one request ("single") or of all at once ("batch")."""
    if found := stop(raw):
        return found
    told = load_look.records(raw["run"], "measured", what="tokens", kind=kind)
    if not told:
        return load_look.broken(raw["run"], "tokens", ADVICE)
    one = told[0]
    text = load_look.evidence(raw["run"], "measured", "model")
    advice = "Compare clocks and links under load; look at what the server said of attention and graphs."
    limit, source = load_look.floor(profile, "vllm", least)
    if one["failed"]:
        return judged(False, f"{one['failed'][0]}", "all requests are answered", advice, evidence=text)
    value = one["tokensPerSecond"]
    if limit is None:
        return only(raw, load_look.at_least(value, (None, None), "tokens/s", advice, evidence=text))
    want = f"more than {limit:g} tokens/s"
    return only(
        raw, judged(value > limit, value, want, advice, unit="tokens/s", source=source, evidence=text)
    )
