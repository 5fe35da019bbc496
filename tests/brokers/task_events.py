"""Which task ran where, as Celery itself tells it to whoever listens: what Flower shows."""

import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from celery import Celery

Where = tuple[str, int]  # the worker's name, and its process


@dataclass(frozen=True)
class Ended:
    """`how` is Celery's word: succeeded, failed, retried, revoked, rejected. What does not go with it is None."""

    how: str
    runtime_s: float | None
    error: str | None


class TaskEvents:
    """Listens as long as the context lasts."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._stopping = threading.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="task-events")
        self._names: dict[str, str] = {}
        self._places: dict[str, Where] = {}
        self._ends: dict[str, Ended] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._listening.wait(10)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(10)

    def ran_at_least(self, counts: Mapping[str, int]) -> list[tuple[str, Where]]:
        """All tasks that have run, by name, with where they did; nothing until there are so many."""
        ran = [(self._names[task], where) for task, where in list(self._places.items()) if task in self._names]
        enough = Counter(name for name, _ in ran) >= Counter(counts)
        return ran if enough else []

    def ended(self, name: str) -> list[Ended]:
        """How each task of this name has ended so far."""
        return [end for task, end in list(self._ends.items()) if self._names.get(task) == name]

    def _listen(self) -> None:
        handlers = {
            "task-received": self._received,
            "task-started": self._started,
            **{f"task-{how}": self._ended for how in ("succeeded", "failed", "retried", "revoked", "rejected")},
        }
        with self._app.connection_for_read() as connection:
            receiver = self._app.events.Receiver(connection, handlers=handlers)
            # The receiver listens on a connection of its own.
            with receiver.consumer_context() as (listening, _channel, _consumers):
                self._listening.set()
                while not self._stopping.is_set():
                    with suppress(TimeoutError):
                        listening.drain_events(timeout=0.2)

    def _received(self, event: dict[str, Any]) -> None:
        self._names[event["uuid"]] = event["name"]

    def _started(self, event: dict[str, Any]) -> None:
        self._places[event["uuid"]] = (event["hostname"], event["pid"])

    def _ended(self, event: dict[str, Any]) -> None:
        how = event["type"].removeprefix("task-")
        self._ends[event["uuid"]] = Ended(how, event.get("runtime"), event.get("exception"))
