"""Which workers are alive. Each says so every few seconds; one that falls silent is forgotten."""

import json
import threading
from dataclasses import asdict, dataclass, field
from typing import Literal

import structlog

from darkroom.errors import RedisUnavailable
from darkroom.redis_client import Client, redis_errors

log = structlog.get_logger()

PERIOD_S = 3.0
# Three reports fit, so a single lost packet never makes a worker look dead.
FORGET_AFTER_S = 12


@dataclass(frozen=True)
class WorkerInfo:
    name: str
    kind: Literal["gpu", "cpu"]
    models: list[str] = field(default_factory=list)
    lanes: int = 0
    device: str = "cpu"


def report(client: Client, worker: WorkerInfo) -> None:
    """Raises RedisUnavailable."""
    with redis_errors():
        client.set(f"darkroom:worker:{worker.name}", json.dumps(asdict(worker)), ex=FORGET_AFTER_S)


def sign_off(client: Client, worker: WorkerInfo) -> None:
    """Raises RedisUnavailable."""
    with redis_errors():
        client.delete(f"darkroom:worker:{worker.name}")


def present(client: Client) -> list[WorkerInfo]:
    """Raises RedisUnavailable."""
    with redis_errors():
        names = sorted(client.scan_iter("darkroom:worker:*", count=1000))
        texts = client.mget(names) if names else []
    return [WorkerInfo(**json.loads(text)) for text in texts if text]


class Reporter:
    """Reports one worker from a thread of its own, until it is stopped."""

    def __init__(self, client: Client, worker: WorkerInfo) -> None:
        self._redis = client
        self._worker = worker
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=PERIOD_S)
        try:
            sign_off(self._redis, self._worker)
        except RedisUnavailable:
            log.debug("presence.sign_off_failed")  # it is forgotten by itself soon

    def _run(self) -> None:
        while True:
            try:
                report(self._redis, self._worker)
            except RedisUnavailable as error:
                log.warning("presence.report_failed", reason=error.message)
            if self._stopped.wait(PERIOD_S):
                return
