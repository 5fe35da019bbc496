"""The client for asyncio. `client.py` is the same for threads."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from darkroom.client import calls
from darkroom.client.answers import Event, Image, Job, JobPage, Upload
from darkroom.client.calls import DEFAULT_URL, Call
from darkroom.client.errors import ClientError, JobEnded
from darkroom.client.retries import TRIES, pause_s
from darkroom.client.server_events import EventReader

Answer = TypeVar("Answer")


class AsyncClient:
    """Every method raises Refused where the server says no, and Unreachable where it says nothing."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        api_key: str | None = None,
        *,
        timeout_s: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url = url.rstrip("/")
        # An answer may be held back for a minute, where it is asked for so.
        timeout = httpx.Timeout(timeout_s, read=timeout_s + calls.WAIT_S)
        self._http = httpx.AsyncClient(
            base_url=self._url, headers=calls.headers(api_key), timeout=timeout, transport=transport
        )
        self._files = httpx.AsyncClient(timeout=timeout, transport=transport, follow_redirects=True)
        self._sleep = sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()
        await self._files.aclose()

    async def submit(self, prompt: str, *, idempotency_key: str | None = None, wait_s: float = 0, **fields: Any) -> Job:
        """Make a job, and go on; or wait so many seconds for its end. `fields`: those of `POST /generate`."""
        return await self.call(calls.submit(prompt, fields, wait_s, idempotency_key))

    async def generate(self, prompt: str, *, idempotency_key: str | None = None, **fields: Any) -> Job:
        """Make a job, and come back when its images are there. Raises JobEnded where it has none."""
        job = await self.submit(prompt, idempotency_key=idempotency_key, wait_s=calls.WAIT_S, **fields)
        return job if job.status == "succeeded" else await self.wait(job.id)

    async def wait(self, job_id: str) -> Job:
        """Raises JobEnded where it failed or was canceled."""
        async for _ in self.watch(job_id):
            pass
        job = await self.job(job_id)
        if job.status != "succeeded":
            raise JobEnded(job)
        return job

    async def watch(self, job_id: str) -> AsyncIterator[Event]:
        """What happens to a job, from its beginning to its end. A connection that is cut is taken up again."""
        reader, fruitless = EventReader(), 0
        while True:
            try:
                async for event in self._stream(job_id, reader):
                    fruitless = 0
                    yield event
                    if event.is_final:
                        return
                if (await self.job(job_id)).is_final:
                    return
            except ClientError as error:
                await self._pause(calls.get_job(job_id), fruitless + 1, error)
            fruitless += 1

    async def job(self, job_id: str) -> Job:
        return await self.call(calls.get_job(job_id))

    async def jobs(self, *, limit: int = 20, cursor: str | None = None) -> JobPage:
        """The newest first."""
        return await self.call(calls.jobs(limit, cursor))

    async def cancel(self, job_id: str) -> Job:
        return await self.call(calls.cancel(job_id))

    async def delete(self, job_id: str) -> None:
        """With its images."""
        await self.call(calls.delete(job_id))

    async def upload(self, picture: bytes) -> Upload:
        """Its id is what `image`, `mask` and `control_image` may be."""
        return await self.call(calls.upload(picture))

    async def download(self, image: Image) -> bytes:
        """By its signed link: no key is sent along."""
        try:
            answer = await self._files.get(image.url)
        except httpx.TransportError as error:
            raise calls.unreachable(image.url.partition("?")[0], error) from error
        if not answer.is_success:
            raise calls.refusal(answer)
        return answer.content

    async def read(self, path: str) -> dict[str, Any]:
        """Any other address of the API: `/models`, `/usage`, `/admin/operations`."""
        return await self.call(calls.read(path))

    async def call(self, call: Call[Answer]) -> Answer:
        for tries in range(1, TRIES + 1):
            try:
                return calls.answer_of(call, await self._send(call))
            except ClientError as error:
                await self._pause(call, tries, error)
        raise AssertionError("the last try ends in an answer or an error")

    async def _pause(self, call: Call[Any], tries: int, error: ClientError) -> None:
        """Raises the error where there is to be no other try."""
        seconds = pause_s(call, tries, error)
        if seconds is None:
            raise error
        await self._sleep(seconds)

    async def _send(self, call: Call[Any]) -> httpx.Response:
        try:
            return await self._http.request(
                call.method, call.path, json=call.json, content=call.content, params=call.params, headers=call.headers
            )
        except httpx.TransportError as error:
            raise calls.unreachable(self._url, error) from error

    async def _stream(self, job_id: str, reader: EventReader) -> AsyncIterator[Event]:
        headers = {"Last-Event-ID": reader.last_id} if reader.last_id else {}
        try:
            async with self._http.stream("GET", f"/jobs/{job_id}/events", headers=headers) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise calls.refusal(answer)
                async for line in answer.aiter_lines():
                    if event := reader.read(line):
                        yield Event(kind=event.name, data=json.loads(event.data), id=event.id)
        except httpx.TransportError as error:
            raise calls.unreachable(self._url, error) from error
