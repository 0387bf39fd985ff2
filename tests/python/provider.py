"""A stand-in of an AI provider's HTTP API: chat, chat as a stream, responses, rate limit.

Prints its port and serves until its standard input closes, so that it cannot outlive the test that started it.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODEL = "gpt-5.1"
CHAT_USAGE = {
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "total_tokens": 2306,
    "prompt_tokens_details": {"cached_tokens": 1920},
    "completion_tokens_details": {"reasoning_tokens": 128},
}
STREAM_USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
RESPONSES_USAGE = {
    "input_tokens": 1000,
    "output_tokens": 10,
    "total_tokens": 1010,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens_details": {"reasoning_tokens": 4},
}


class Provider(BaseHTTPRequestHandler):
    """Answers as the provider would, with fixed usage."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """Says nothing: the test's output is the test's."""

    def do_GET(self):
        self.answer(200, {"page": "<html></html>"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        asked = json.loads(body)
        if asked.get("model") != MODEL:
            self.answer(429, {"error": {"message": "rate limited", "type": "rate_limit", "code": "rate_limit_exceeded"}})
        elif self.path.endswith("/responses"):
            self.answer(200, responses())
        elif asked.get("stream"):
            self.stream(asked)
        else:
            message = {"role": "assistant", "content": "hello"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self.answer(200, chat("chat.completion", [choice], CHAT_USAGE))

    def stream(self, asked):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for text, reason in (("hel", None), ("lo", "stop")):
            choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": reason}
            self.event(chat("chat.completion.chunk", [choice], None))
        if (asked.get("stream_options") or {}).get("include_usage"):
            self.event(chat("chat.completion.chunk", [], STREAM_USAGE))
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def event(self, payload):
        self.wfile.write(b"data: " + json.dumps(payload).encode() + b"\n\n")
        self.wfile.flush()

    def answer(self, status, payload):
        body = json.dumps(payload).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def chat(kind, choices, usage):
    return {"id": f"chatcmpl-{kind}", "object": kind, "created": 1, "model": MODEL, "choices": choices, "usage": usage}


def responses():
    text = {"type": "output_text", "text": "hello", "annotations": []}
    message = {"type": "message", "id": "m1", "status": "completed", "role": "assistant", "content": [text]}
    return {
        "id": "resp-1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": MODEL,
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": RESPONSES_USAGE,
    }


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
