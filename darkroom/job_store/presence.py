"""Which workers are alive. Each says so every few seconds; one that falls silent is forgotten."""

import json
import resource
import sys
import threading
from dataclasses import asdict, dataclass

import structlog

from darkroom.errors import RedisUnavailable
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client, redis_errors
from darkroom.workers import WorkerInfo

log = structlog.get_logger()

PERIOD_S = 3.0
# Three reports fit, so a single lost packet never makes a worker look dead.
FORGET_AFTER_S = 12


@dataclass(frozen=True)
class Sighting:
    """A worker as it was last heard of, and the most memory that its process has taken."""

    worker: WorkerInfo
    memory_bytes: int


def report(client: Client, worker: WorkerInfo) -> None:
    """Raises RedisUnavailable."""
    with redis_errors():
        told = {"seen_s": client.time()[0], "memory_bytes": _most_memory(), "worker": asdict(worker)}
        client.hset(keys.WORKERS(), worker.name, json.dumps(told))


def sign_off(client: Client, worker: WorkerInfo) -> None:
    """Raises RedisUnavailable."""
    with redis_errors():
        client.hdel(keys.WORKERS(), worker.name)


def present(client: Client) -> list[WorkerInfo]:
    """Workers heard of lately. Raises RedisUnavailable."""
    return [sighting.worker for sighting in sightings(client)]


def sightings(client: Client) -> list[Sighting]:
    """Raises RedisUnavailable."""
    with redis_errors():
        reports = [json.loads(text) for text in client.hvals(keys.WORKERS())]
        now_s = client.time()[0]
        silent = [report["worker"]["name"] for report in reports if report["seen_s"] < now_s - FORGET_AFTER_S]
        if silent:
            client.hdel(keys.WORKERS(), *silent)
    heard = [report for report in reports if report["worker"]["name"] not in silent]
    return [Sighting(WorkerInfo(**report["worker"]), report.get("memory_bytes", 0)) for report in heard]


def _most_memory() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


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
            except Exception:
                # Without this thread, a worker that works would look dead.
                log.exception("presence.report_failed")
            if self._stopped.wait(PERIOD_S):
                return
