"""vLLM's OpenAI-compatible server on loopback with a model over all GPUs: started, asked, its answers and its speed told, ended.

python3 vllm_serve.py '{"model": "/opt/vault-cube/models/NAME", "gpus": 2, "prompts": [{"prompt": "The capital of France is", "expect": ["Paris"]}]}'

Run by the environment's own Python, beside which lies the `vllm` command. Only this program and its server know of the port and of nothing
outside the box. While the server starts, a beat stands for a line that it said: one that hangs, which vLLM did on this very machine
(vllm-project/vllm#39774), says nothing, however busy its processors are.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import emit, parameters, window

DEFAULTS = {
    "model": "",
    "gpus": 1,
    "maxModelLen": 2048,
    "memoryFraction": 0.9,
    "enforceEager": True,
    "tokens": 128,
    "requests": 16,
    "answerSeconds": 120.0,
    "prompts": [],
    # Instead of vLLM's own command: whatever serves as it does. Tests give a recorded one.
    "command": None,
}
NAME = "vault-cube-test"
TAIL = 60


class Server:
    """The server's process; what it says goes to our stderr, which is kept as evidence."""

    def __init__(self, argv: list[str]) -> None:
        self.said = 0
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        threading.Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += 1
            sys.stderr.buffer.write(line)
            sys.stderr.buffer.flush()

    def stop(self) -> None:
        """Ends it; its workers are in our process group, and whoever started us looks after what is left."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Api:
    """The OpenAI-compatible interface on loopback; no proxy of the environment has any business with it."""

    def __init__(self, port: int, seconds: float) -> None:
        self.base, self.seconds = f"http://127.0.0.1:{port}", seconds
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, path: str) -> int:
        """The HTTP status; 0 when nobody answers."""
        try:
            with self.opener.open(self.base + path, timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as e:
            return e.code
        except OSError:
            return 0

    def complete(self, prompt: str, tokens: int, *, whole: bool) -> dict[str, Any]:
        """The answer of /v1/completions; `whole`: to the last token, whatever ends it."""
        body = {
            "model": NAME,
            "prompt": prompt,
            "max_tokens": tokens,
            "temperature": 0,
            "seed": 1,
            "ignore_eos": whole,
        }
        head = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.base}/v1/completions", json.dumps(body).encode(), head)
        with self.opener.open(request, timeout=self.seconds) as answer:
            return json.load(answer)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def command(p: dict[str, Any], port: int) -> list[str]:
    if p["command"]:
        return [*p["command"], str(port)]
    vllm = os.path.join(os.path.dirname(sys.executable), "vllm")
    argv = [vllm, "serve", p["model"], "--host", "127.0.0.1", "--port", str(port)]
    argv += ["--served-model-name", NAME, "--tensor-parallel-size", str(p["gpus"])]
    argv += ["--max-model-len", str(p["maxModelLen"]), "--gpu-memory-utilization", str(p["memoryFraction"])]
    return [*argv, "--enforce-eager"] if p["enforceEager"] else argv


def await_ready(server: Server, api: Api) -> None:
    """Until it answers; each line that it says is a sign of life. Ends the program where it ended."""
    said, start = -1, time.monotonic()
    while api.get("/health") != 200:
        if server.process.poll() is not None:
            print(f"the server ended with {server.process.returncode}", file=sys.stderr)
            sys.exit(5)
        if server.said != said:
            said = server.said
            emit("beat", phase="start", lines=said)
        time.sleep(0.5)
    emit("ready", seconds=round(time.monotonic() - start, 1))


def ask(api: Api, p: dict[str, Any]) -> None:
    """The prompts whose continuations are known, one after another."""
    for number, one in enumerate(p["prompts"]):
        answer = api.complete(one["prompt"], one.get("tokens", 16), whole=False)
        text = answer["choices"][0]["text"]
        right = any(word.lower() in text.lower() for word in one["expect"])
        emit(
            "answer",
            number=number,
            prompt=one["prompt"][:200],
            text=text[:400],
            expect=one["expect"],
            right=right,
        )


def load(api: Api, p: dict[str, Any], told: dict[int, int], failed: list[str], number: int) -> None:
    try:
        answer = api.complete(f"{number}. Write a long story about a vault.", p["tokens"], whole=True)
        told[number] = int(answer["usage"]["completion_tokens"])
        emit("beat", phase="tokens", request=number, tokens=told[number])
    except (OSError, ValueError, KeyError, TypeError) as e:
        failed.append(f"request {number}: {type(e).__name__}: {e}"[:300])


def throughput(api: Api, p: dict[str, Any]) -> None:
    """One request alone, which is what a person waits for, then all of them at once."""
    for name, count in (("single", 1), ("batch", p["requests"])):
        told: dict[int, int] = {}
        failed: list[str] = []
        start = time.monotonic()
        with window(f"vllm-{name}"):
            threads = [threading.Thread(target=load, args=(api, p, told, failed, i)) for i in range(count)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        spent, tokens = time.monotonic() - start, sum(told.values())
        emit(
            "measured",
            what="tokens",
            kind=name,
            requests=count,
            tokens=tokens,
            seconds=round(spent, 3),
            tokensPerSecond=round(tokens / spent, 2),
            failed=failed[:4],
        )


def model_of(path: str) -> dict[str, Any]:
    """What the model's folder says of itself. `weights`: "random" where it was made without training, to try the machinery."""
    try:
        with open(os.path.join(path, "config.json")) as f:
            found = json.load(f)
    except (OSError, ValueError) as e:
        print(f"{path}: {e}", file=sys.stderr)
        sys.exit(3)
    marked = os.path.exists(os.path.join(path, "vault-cube-random-weights"))
    return {
        "model": os.path.basename(path.rstrip("/")),
        "architecture": (found.get("architectures") or [None])[0],
        "weights": "random" if marked else "trained",
    }


def main() -> None:
    p = parameters(DEFAULTS)
    emit("beat", phase="start")
    emit("model", **model_of(p["model"]))
    port = free_port()
    server = Server(command(p, port))
    try:
        api = Api(port, p["answerSeconds"])
        await_ready(server, api)
        ask(api, p)
        throughput(api, p)
        emit("done")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
