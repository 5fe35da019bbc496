"""Whether what this process needs answers: looked at when somebody asks, and remembered for a while.

Anyone may ask `/readyz`, as often as he likes. What that costs, connections and a listing that S3 is paid for, is
bounded by the clock and not by who asks.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog

from darkroom.errors import Unavailable

log = structlog.get_logger()

KEPT_S = 2.0


@dataclass(frozen=True)
class Check:
    """`look` raises Unavailable. That all is well may be remembered longer than that it is not."""

    look: Callable[[], None]
    ok_kept_s: float = KEPT_S

    def result(self) -> str:
        try:
            self.look()
        except Unavailable as error:
            return error.code
        return "ok"


class HealthChecks:
    """For one event loop."""

    def __init__(self, checks: Mapping[str, Check], clock: Callable[[], float] = time.monotonic) -> None:
        self._checks = checks
        self._clock = clock
        self._results: dict[str, str] = {}
        self._fresh_until = dict.fromkeys(checks, float("-inf"))
        self._looking: asyncio.Task[dict[str, str]] | None = None
        # Side by side: with several parts down, the answer still comes within the time of the slowest. Threads of its
        # own, for parts that hang must not take those that requests share.
        self._pool = ThreadPoolExecutor(len(checks), thread_name_prefix="health")

    async def results(self) -> dict[str, str]:
        """`ok`, or an error's code, by name. Who asks while somebody looks waits for what is found."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _look(self) -> dict[str, str]:
        try:
            due = [name for name in self._checks if self._fresh_until[name] <= self._clock()]
            run = asyncio.get_running_loop().run_in_executor
            found = await asyncio.gather(*(run(self._pool, self._checks[name].result) for name in due))
            self._remember(dict(zip(due, found, strict=True)))
            return {name: self._results[name] for name in self._checks}
        finally:
            self._looking = None

    def _remember(self, found: Mapping[str, str]) -> None:
        now = self._clock()
        for name, result in found.items():
            self._results[name] = result
            self._fresh_until[name] = now + (self._checks[name].ok_kept_s if result == "ok" else KEPT_S)
        if any(result != "ok" for result in found.values()):
            log.warning("api.unready", **self._results)
