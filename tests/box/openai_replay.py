"""Replays an OpenAI-compatible server as vLLM's answers, on loopback: <recording> <port>. Tests run it in vLLM's place.

The recording: `{startSeconds, answers: {prompt: text}, tokensPerSecond, fail?: bool, hang?: bool}`.
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

RECORDING = json.loads(Path(sys.argv[1]).read_text())
STARTED = time.monotonic()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Quiet: a hanging server says nothing."""

    def answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        ready = time.monotonic() - STARTED >= RECORDING["startSeconds"]
        self.answer(200 if ready and not RECORDING.get("hang") else 503, {})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if RECORDING.get("fail"):
            self.answer(500, {"error": {"message": "EngineDeadError"}})
            return
        prompt = asked["prompt"]
        text = RECORDING["answers"].get(prompt, " Once upon a time there was a vault.")
        tokens = asked["max_tokens"] if asked.get("ignore_eos") else 8
        if asked.get("ignore_eos"):
            time.sleep(tokens / RECORDING["tokensPerSecond"])
        usage = {"prompt_tokens": 6, "completion_tokens": tokens, "total_tokens": tokens + 6}
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": "length"}
        found = {"id": "cmpl-1", "object": "text_completion", "model": asked["model"], "choices": [choice]}
        self.answer(200, {**found, "usage": usage})


print("INFO: replaying", file=sys.stderr, flush=True)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
