"""An S3 store that answers as it is told to, over real HTTP, for refusals that no store gives on demand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar


@dataclass(frozen=True)
class Answer:
    """`declared` is the length that the header states, where it shall not be the true one."""

    status: int
    body: str = ""
    declared: int | None = None


@dataclass
class CannedS3:
    """`answers` go out in turn, the last one again and again. `seen` has method, path and headers of each request."""

    endpoint_url: str
    answers: list[Answer]
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def next_answer(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def refusal(status: int, code: str) -> Answer:
    return Answer(status, f"<Error><Code>{code}</Code><Message>hush-hush</Message></Error>")


def listing(*keys: str) -> Answer:
    contents = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
    return Answer(200, f"<ListBucketResult><KeyCount>{len(keys)}</KeyCount>{contents}</ListBucketResult>")


@contextmanager
def canned_s3(*answers: Answer) -> Iterator[CannedS3]:
    class Handler(_Handler):
        pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        store = CannedS3(f"http://127.0.0.1:{server.server_port}", list(answers))
        Handler.store = store
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield store
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5
    store: ClassVar[CannedS3]

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.store.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        answer = self.store.next_answer()
        body = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(body) if answer.declared is None else answer.declared))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_POST = do_GET  # noqa: N815 - http.server's own names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""
