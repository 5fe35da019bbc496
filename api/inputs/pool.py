"""Some threads for work that would hold up the event loop. What waits for one is in memory, so only so much may."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TypeVar

from darkroom.errors import InputsBusy, StorageUnavailable

PATIENCE_S = 60.0

T = TypeVar("T")


class Pool:
    def __init__(self, name: str, threads: int, places: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._places = BoundedSemaphore(places)

    async def run(self, work: Callable[..., T], *arguments: object) -> T:
        """Raises InputsBusy, StorageUnavailable, and whatever the work raises."""
        if not self._places.acquire(blocking=False):
            raise InputsBusy("Too many pictures are being read just now. Try again in a few seconds.")
        future = self._executor.submit(work, *arguments)
        future.add_done_callback(lambda _: self._places.release())
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise StorageUnavailable(
                f"The pictures were not read and stored within {PATIENCE_S:g} s. Send the request again."
            ) from None

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
