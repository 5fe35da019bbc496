"""An internet of canned answers: who connects to which address, and what is said there."""

import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence

import httpcore

PUBLIC, ELSEWHERE = "93.184.215.14", "151.101.1.69"
PNG = frozenset({"image/png"})


def answer(status: int = 200, body: bytes = b"pixels", **headers: str) -> list[bytes]:
    """As it comes over the wire; `content_type` is image/png unless another is given."""
    fields = {"content_type": "image/png", "content_length": str(len(body))} | headers
    lines = [f"HTTP/1.1 {status} Said", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return ["\r\n".join([*lines, "", ""]).encode(), body]


def redirect(to: str) -> list[bytes]:
    return answer(302, b"", location=to)


class Resolver:
    """A name's answers, one after another; the last stays."""

    def __init__(self, **names: Sequence[list[str]]) -> None:
        self._names = {name.replace("_", "."): list(answers) for name, answers in names.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        answers = self._names.get(host)
        if answers is None:
            raise OSError("no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Stream(httpcore.MockStream):
    """Calls `heard` before each part that is read."""

    def __init__(self, parts: Iterable[bytes], heard: Callable[[], None]) -> None:
        super().__init__(list(parts))
        self._heard = heard
        self.server_names: list[str | None] = []

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._heard()
        return super().read(max_bytes, timeout)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self.server_names.append(server_hostname)
        return self


class Internet(httpcore.NetworkBackend):
    """Answers by address and port, in order."""

    def __init__(self, answers: Mapping[tuple[str, int], Sequence[list[bytes]]]) -> None:
        self._answers = {place: list(parts) for place, parts in answers.items()}
        self.connected: list[tuple[str, int]] = []
        self.streams: list[Stream] = []
        self.heard: Callable[[], None] = lambda: None

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        self.connected.append((host, port))
        if not self._answers.get((host, port)):
            raise httpcore.ConnectError("nobody listens")
        self.streams.append(Stream(self._answers[host, port].pop(0), self.heard))
        return self.streams[-1]
