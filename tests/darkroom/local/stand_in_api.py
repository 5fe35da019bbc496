"""A few lines that answer as the API does, for one job. Run as a process: PORT, and how the job ends."""

import hashlib
import io
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

PROMPT_TOO_LONG: dict[str, object] = {"code": "invalid_request", "detail": "The prompt is longer than 20 characters."}


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (24, 16), "red").save(buffer, "PNG")
    return buffer.getvalue()


class StandInApi(BaseHTTPRequestHandler):
    port: int
    ending: str
    body = png()

    def do_GET(self) -> None:
        match self.path:
            case "/readyz":
                workers = {} if self.ending == "never ready" else {"gpu": 1, "cpu": 1}
                self.answer({"checks": {"redis": "ok"}, "workers": workers})
            case "/jobs/job-1/events":
                self.stream()
            case "/jobs/job-1":
                self.answer(self.record())
            case "/signed?expires=1":
                self.send(200, "image/png", self.body)
            case _:
                self.answer({"code": "not_found", "detail": "Nothing here."}, 404)

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if len(request["prompt"]) > 20:
            self.answer(PROMPT_TOO_LONG, 422)
        else:
            self.answer({"id": "job-1", "status": "queued"}, 202)

    def stream(self) -> None:
        """Breaks off after the first step, as a network does; the rest for who says where it was."""
        if self.headers.get("Last-Event-ID") is None:
            self.events([("queued", {}), ("started", {}), ("step", {"step": 1, "steps": 2})])
        else:
            self.events([("step", {"step": 2, "steps": 2}), (self.ending, {})])

    def record(self) -> dict[str, object]:
        image = {
            "url": f"http://127.0.0.1:{self.port}/signed?expires=1",
            "width": 24,
            "height": 16,
            "sha256": hashlib.sha256(self.body).hexdigest(),
        }
        return {
            "id": "job-1",
            "status": self.ending,
            "seed": 7,
            "request": {"prompt": "a red circle", "width": 24, "height": 16},
            "created_at": "2026-01-01T00:00:00Z",
            "started_at": "2026-01-01T00:00:01Z",
            "finished_at": "2026-01-01T00:00:03Z",
            "timings": {"queued_s": 1, "run_s": 2},
            "images": [image] if self.ending == "succeeded" else [],
            "error": {"code": "out_of_memory", "message": "Make it smaller."} if self.ending == "failed" else None,
        }

    def events(self, events: list[tuple[str, dict[str, int]]]) -> None:
        lines = [
            f"id: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n" for number, (name, data) in enumerate(events)
        ]
        self.send(200, "text/event-stream", "".join(lines).encode())

    def answer(self, body: dict[str, object], status: int = 200) -> None:
        self.send(status, "application/json", json.dumps(body).encode())

    def send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    StandInApi.port, StandInApi.ending = int(sys.argv[1]), sys.argv[2]
    ThreadingHTTPServer(("127.0.0.1", StandInApi.port), StandInApi).serve_forever()
