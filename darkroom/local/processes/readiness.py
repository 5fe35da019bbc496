"""Waits until the parts of the stack answer."""

import socket as sockets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from typing import Any

BETWEEN_TRIES_S = 0.1


class NotReady(Exception):
    """In time. The message says what is missing."""


def redis_answers(socket: Path) -> bool:
    """False also while it still reads its append-only file."""
    try:
        with sockets.socket(sockets.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(socket))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def missing(ready: Mapping[str, Any]) -> tuple[str, ...]:
    """What the body of /readyz does not show yet, of what the local stack has."""
    checks = ready.get("checks") or {}
    workers = ready.get("workers") or {}
    failed = [f"{name}: {state}" for name, state in checks.items() if state != "ok"]
    absent = [f"no {kind} worker" for kind in ("gpu", "cpu") if not workers.get(kind)]
    return (*failed, *absent)


def wait_for_redis(socket: Path, deadline_s: float, given_up: Event | None = None) -> None:
    """Raises NotReady, also once `given_up` is set: what is asked may be gone, and its port somebody else's."""
    _wait(lambda: () if redis_answers(socket) else ("Redis does not answer",), deadline_s, given_up or Event())


def wait_for_api(url: str, deadline_s: float, given_up: Event | None = None) -> None:
    """Until /readyz answers 200 and shows a GPU worker and a CPU worker. Raises NotReady as `wait_for_redis` does."""
    import httpx

    # No proxy of the environment: it could not reach this machine's loopback.
    with httpx.Client(base_url=url, timeout=5, trust_env=False) as http:

        def still_missing() -> tuple[str, ...]:
            try:
                response = http.get("/readyz")
                gone = missing(response.json())
            except (httpx.TransportError, ValueError):
                return ("the API does not answer",)
            return gone or (() if response.is_success else (f"/readyz answers {response.status_code}",))

        _wait(still_missing, deadline_s, given_up or Event())


def _wait(still_missing: Callable[[], tuple[str, ...]], deadline_s: float, given_up: Event) -> None:
    deadline = time.monotonic() + deadline_s
    while gone := still_missing():
        if time.monotonic() > deadline:
            raise NotReady(f"The stack was not ready within {deadline_s:.0f} s: {'; '.join(gone)}.")
        if given_up.wait(BETWEEN_TRIES_S):
            raise NotReady("Nobody waits for the stack any more.")
