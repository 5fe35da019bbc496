"""Remembers what does not batch, and says so once for each."""

import threading
from collections import Counter
from typing import Any

import structlog

from gpu_worker.engine.call import Entry
from gpu_worker.engine.calls.arguments import Arguments, NotBatchable, bind, flatten
from gpu_worker.engine.calls.families import RUNS_ALONE

log = structlog.get_logger()

# A batch can fail by chance, while each of its calls succeeds alone. This often, it is no chance.
FAILURES_TOGETHER = 3


class Unbatchable:
    def __init__(self) -> None:
        self.turn = threading.Lock()
        """Held by a run that must not meet another: its pipeline's networks are not shared."""
        self._entries: set[Entry] = set()
        self._said: set[object] = set()
        self._failures: Counter[Entry] = Counter()

    def __contains__(self, entry: Entry) -> bool:
        return entry in self._entries

    def arguments(self, entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments | None:
        """A call's arguments, taken apart; None for a call that must run alone."""
        if entry in self:
            return None
        if entry.network in RUNS_ALONE:
            self.keep(entry, "its batch dimension is not the first")
            return None
        try:
            return flatten(entry.network, entry.name, bind(entry.signature, args, kwargs))
        except TypeError:
            return None  # The network itself says best what is wrong with this call.
        except NotBatchable as error:
            self.warn(entry, error)
        except Exception as error:
            # Without its words, which may be a client's.
            self.warn(entry, f"its arguments raise {type(error).__name__}")
        return None

    def keep(self, entry: Entry, reason: object) -> None:
        """From now on, this entry's calls run one by one."""
        self._entries.add(entry)
        self.warn(entry, reason)

    def warn(self, entry: Entry, reason: object) -> None:
        """A single call that has to run alone; others of its entry may be different."""
        if self._is_news(entry):
            log.warning("network.not_batchable", network=entry.network, entry=entry.name, reason=str(reason))

    def warn_of_pipeline(self, pipeline: str, reason: str) -> None:
        """Its runs take turns."""
        if self._is_news((pipeline, reason)):
            log.warning("pipeline.not_batchable", pipeline=pipeline, reason=reason)

    def failed_only_together(self, entry: Entry, error: Exception) -> None:
        self._failures[entry] += 1
        if self._failures[entry] == FAILURES_TOGETHER:
            self.keep(entry, f"batches fail with {type(error).__name__}, and each call alone succeeds")

    def _is_news(self, what: object) -> bool:
        is_news = what not in self._said
        self._said.add(what)
        return is_news
