"""Which workers are alive. Each says so every few seconds; one that falls silent is forgotten."""

import json
import threading
from dataclasses import asdict

import structlog

from darkroom.errors import RedisUnavailable
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client, redis_errors
from darkroom.workers import WorkerInfo

log = structlog.get_logger()

PERIOD_S = 3.0
# Three reports fit, so a single lost packet never makes a worker look dead.
FORGET_AFTER_S = 12


def report(client: Client, worker: WorkerInfo) -> None:
    """Raises RedisUnavailable."""
    with redis_errors():
        client.hset(keys.WORKERS(), worker.name, json.dumps({"seen_s": client.time()[0], "worker": asdict(worker)}))


def sign_off(client: Client, worker: WorkerInfo) -> None:
    """Raises RedisUnavailable."""
    with redis_errors():
        client.hdel(keys.WORKERS(), worker.name)


def present(client: Client) -> list[WorkerInfo]:
    """Workers heard of lately. Raises RedisUnavailable."""
    with redis_errors():
        reports = [json.loads(text) for text in client.hvals(keys.WORKERS())]
        now_s = client.time()[0]
        silent = [report["worker"]["name"] for report in reports if report["seen_s"] < now_s - FORGET_AFTER_S]
        if silent:
            client.hdel(keys.WORKERS(), *silent)
    return [WorkerInfo(**report["worker"]) for report in reports if report["worker"]["name"] not in silent]


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
