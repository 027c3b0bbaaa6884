#!/opt/vault-cube/venvs/vllm/bin/python -I
"""A language model behind an OpenAI-compatible server on this box's loopback, over all GPUs.

`vllm_demo.py serve` starts it and stays until Ctrl+C; `vllm_demo.py ask "…"` asks it from a second terminal. Nothing is
downloaded: the model is a folder with a config.json, by default the first below /opt/vault-cube/models.
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

MODELS, PORT, NAME = Path("/opt/vault-cube/models"), 8000, "vault-cube-demo"
# Nothing leaves the box, and nothing is asked of it from outside.
ENV = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}


def models():
    return sorted(path.parent for path in MODELS.glob("*/config.json"))


def gpus():
    import torch

    return torch.cuda.device_count()


def parallel(model, count):
    """Over how many GPUs: as many as divide the model's attention heads."""
    heads = json.loads((model / "config.json").read_text()).get("num_attention_heads") or 1
    return max(n for n in range(1, count + 1) if heads % n == 0)


def serve(args):
    found = models()
    model = Path(args.model) if args.model else (found[0] if found else None)
    if model is None or not (model / "config.json").is_file():
        print(
            f"There is no model in {model or MODELS}: put a model's folder there, or name one with --model.",
            file=sys.stderr,
        )
        return 1
    count = gpus()
    if not count:
        print("vLLM's PyTorch sees no GPU. `nvidia-smi` tells whether the driver does.", file=sys.stderr)
        return 1
    command = str(Path(sys.executable).parent / "vllm")
    argv = [command, "serve", str(model), "--host", "127.0.0.1", "--port", str(args.port)]
    argv += ["--served-model-name", NAME, "--tensor-parallel-size", str(parallel(model, count))]
    print(f'{" ".join(argv)}\nWhen it says that it is ready: {sys.argv[0]} ask "What is a vault?"', flush=True)
    os.execve(command, argv, {**os.environ, **ENV})


def ask(args):
    body = {"model": NAME, "prompt": args.prompt, "max_tokens": args.tokens, "temperature": 0.7}
    url = f"http://127.0.0.1:{args.port}/v1/completions"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    # A proxy of the environment has no business with this box's loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=120) as answer:
            print(json.load(answer)["choices"][0]["text"].strip())
    except (urllib.error.URLError, TimeoutError) as e:
        print(f"No answer on port {args.port} ({e}). Is `{sys.argv[0]} serve` running, and ready?", file=sys.stderr)
        return 1
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only tell what would be used, as JSON")
    parser.add_argument("--port", type=int, default=PORT, help="port on 127.0.0.1 (%(default)s)")
    commands = parser.add_subparsers(dest="command")
    serving = commands.add_parser("serve", help="start the server")
    serving.add_argument("--model", help="folder of the model")
    asking = commands.add_parser("ask", help="ask it something")
    asking.add_argument("prompt")
    asking.add_argument("--tokens", type=int, default=200, help="the longest answer (%(default)s)")
    args = parser.parse_args()
    if args.check:
        import vllm

        found = {
            "demo": "vllm",
            "version": vllm.__version__,
            "gpus": gpus(),
            "models": [path.name for path in models()],
        }
        print(json.dumps(found))
        return 0
    if args.command == "serve":
        return serve(args)
    if args.command == "ask":
        return ask(args)
    parser.print_help()
    return 2


if __name__ == "__main__":
    sys.exit(main())
