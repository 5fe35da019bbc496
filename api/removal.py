"""Removes jobs with their images, in a few threads of its own: storage that hangs takes those, and nobody else's."""

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread

from darkroom.errors import StorageUnavailable
from darkroom.job_store.store import JobStore
from darkroom.jobs import Job
from storage.contract import Storage

MOST_AT_ONCE = 8
# Storage answers in milliseconds, or hangs for minutes. A client that waited this long is better told to come back.
PATIENCE_S = 5.0


class Remover:
    def __init__(self, store: JobStore, storage: Storage, patience_s: float = PATIENCE_S) -> None:
        self._store = store
        self._storage = storage
        self._patience_s = patience_s
        self._room = asyncio.Semaphore(MOST_AT_ONCE)

    async def remove(self, job: Job) -> None:
        """Raises StorageUnavailable, also where storage takes too long; it is then gone on with behind the answer.

        Raises RedisUnavailable.
        """
        try:
            async with asyncio.timeout(self._patience_s):
                await self._room.acquire()
                await asyncio.wrap_future(self._start(job))
        except TimeoutError:
            raise StorageUnavailable(
                f"Storage has not removed the images of job {job.id} within {self._patience_s:g} s. "
                "Send the request again in a few seconds, until it is answered with 204 or 404."
            ) from None

    def _start(self, job: Job) -> "Future[None]":
        loop, removed = asyncio.get_running_loop(), Future[None]()

        def make_room(_: object) -> None:
            with suppress(RuntimeError):  # the server has stopped meanwhile
                loop.call_soon_threadsafe(self._room.release)

        # Said to run, so that a client that goes away does not cancel it.
        removed.set_running_or_notify_cancel()
        removed.add_done_callback(make_room)
        # A daemon: a server that stops does not wait for storage that hangs.
        Thread(target=self._remove, args=(job, removed), name="removal", daemon=True).start()
        return removed

    def _remove(self, job: Job, removed: "Future[None]") -> None:
        """Images first: while storage is down the record stays, so that the client can try again."""
        try:
            self._storage.delete_job(job.id)
            self._store.delete(job.id)
        except Exception as error:  # for whoever waits
            removed.set_exception(error)
        else:
            removed.set_result(None)
