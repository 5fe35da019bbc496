"""Hears that an interactive job has come in line, for wake-ups of bulk jobs that wait beside a lane kept for it."""

import threading
from collections.abc import Mapping

import structlog

from darkroom.errors import RedisUnavailable
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client, redis_errors
from gpu_worker.jobs.lanes import Lanes

log = structlog.get_logger()

HEAR_S = 1.0


class LineBell:
    """A thread that listens. While it cannot, those who wait look for themselves."""

    def __init__(self, client: Client, lanes: Mapping[str, Lanes]) -> None:
        self._redis = client
        self._lanes = {keys.LINE_BELL(model): lanes_of_model for model, lanes_of_model in lanes.items()}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bell", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=2 * HEAR_S)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except RedisUnavailable as error:
                log.warning("bell.not_heard", code=error.code, reason=error.message)
                self._stopped.wait(HEAR_S)

    def _listen(self) -> None:
        with redis_errors(), self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            pubsub.subscribe(*self._lanes)
            while not self._stopped.is_set():
                if word := pubsub.get_message(timeout=HEAR_S):
                    self._lanes[word["channel"]].look()
