"""The Python client, against a real API: both kinds do the same."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from darkroom.client import AsyncClient, Client, Image, Job, JobEnded, Refused, Unreachable
from darkroom.client.retries import LONGEST_S, TRIES
from darkroom.job_store.redis_client import Client as Redis
from darkroom.settings import Settings
from tests.api.input_pictures import picture
from tests.api.serving import Serving, serving
from tests.api.worker import PIXELS, Worker
from tests.eventually import eventually
from tests.in_a_thread import in_a_thread


@pytest.fixture
def api(settings: Settings) -> Iterator[Serving]:
    with serving(settings) as it:
        yield it


@pytest.fixture
def worker(api: Serving, client: Redis, settings: Settings) -> Worker:
    return Worker(client, settings, api.services.storage)


@pytest.fixture
def darkroom(api: Serving) -> Iterator[Client]:
    with Client(api.url) as it:
        yield it


def test_it_generates_and_downloads(darkroom: Client, worker: Worker) -> None:
    made = in_a_thread(lambda: darkroom.generate("a red circle", seed=7, n=2, width=None))
    finish_next(worker)

    job = made.result(timeout=20)

    assert (job.status, job.seed, len(job.images)) == ("succeeded", 7, 2)
    assert darkroom.download(job.images[0]) == PIXELS
    assert job.images[0].suffix == ".png"


def finish_next(worker: Worker) -> None:
    eventually(lambda: worker.claims.waiting("minilab"), what="a job in line")
    worker.make_next()


def test_the_asynchronous_one_does_the_same(api: Serving, worker: Worker) -> None:
    async def generate() -> tuple[Job, bytes, list[str]]:
        async with AsyncClient(api.url) as darkroom:
            job = await darkroom.generate("a red circle")
            kinds = [event.kind async for event in darkroom.watch(job.id)]
            return job, await darkroom.download(job.images[0]), kinds

    made = in_a_thread(lambda: asyncio.run(generate()))
    finish_next(worker)

    job, picture, kinds = made.result(timeout=20)
    assert job.status == "succeeded"
    assert picture == PIXELS
    assert kinds == ["started", "succeeded"]


def test_it_watches_a_job_to_its_end(darkroom: Client, worker: Worker) -> None:
    job = darkroom.submit("a red circle")
    running = worker.claim()
    worker.step(running, 1, 2)
    worker.finish(running)

    events = list(darkroom.watch(job.id))

    assert [event.kind for event in events] == ["started", "step", "step", "succeeded"]
    assert events[2].data["step"] == 2
    assert events[-1].is_final


def test_it_cancels_lists_and_deletes(darkroom: Client) -> None:
    first, second = darkroom.submit("one"), darkroom.submit("two")

    assert darkroom.cancel(second.id).status == "canceled"
    with pytest.raises(JobEnded, match="was canceled") as ended:
        darkroom.wait(second.id)
    assert ended.value.job.id == second.id
    darkroom.delete(second.id)

    assert [job.id for job in darkroom.jobs().jobs] == [first.id]
    with pytest.raises(Refused) as refused:
        darkroom.job(second.id)
    assert (refused.value.status, refused.value.code) == (404, "unknown_job")


def test_an_upload_is_what_a_request_starts_from(darkroom: Client) -> None:
    upload = darkroom.upload(picture())

    job = darkroom.submit("a boat", image=upload.id)

    assert job.request["image"] == [upload.id]


def test_what_is_wrong_is_told_in_the_server_s_words(darkroom: Client) -> None:
    with pytest.raises(Refused, match="steps is 0; choose") as refused:
        darkroom.submit("a red circle", steps=0)

    assert (refused.value.status, refused.value.code) == (422, "steps_out_of_range")


def test_a_key_goes_with_each_call_and_not_to_where_images_are() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"models": []})

    with Client("http://api.example", "secret", transport=httpx.MockTransport(answer)) as darkroom:
        darkroom.read("/models")
        darkroom.download(IMAGE)

    assert [request.headers.get("authorization") for request in seen] == ["Bearer secret", None]
    assert seen[0].headers["user-agent"].startswith("darkroom-client/")


IMAGE = Image.model_validate(
    {
        "id": "x-0", "url": "http://files.example/x", "expires_at": "2026-01-01T00:00:00Z", "width": 1, "height": 1,
        "bytes": 1, "content_type": "image/png", "seed": 1, "sha256": "",
    }
)  # fmt: skip


Answering = Callable[[httpx.Request], httpx.Response]


def trying(answering: Answering, slept: list[float]) -> Client:
    return Client("http://api.example", transport=httpx.MockTransport(answering), sleep=slept.append)


def test_a_request_without_an_answer_is_sent_again_under_the_same_key() -> None:
    keys, slept = [], list[float]()

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        if len(keys) == 1:
            raise httpx.ReadTimeout("nothing came")
        if len(keys) == 2:
            return httpx.Response(503, headers={"Retry-After": "3"}, json={"code": "redis_unavailable", "detail": "x"})
        return httpx.Response(422, json={"code": "prompt_empty", "detail": "Say something."})

    with pytest.raises(Refused, match="Say something"):
        trying(answer, slept).submit("")

    assert len(set(keys)) == 1
    assert slept == [0.5, 3]


def test_it_gives_up_in_the_end() -> None:
    slept = list[float]()

    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there")

    with pytest.raises(Unreachable, match=r"http://api\.example gives no answer"):
        trying(refuse, slept).read("/models")

    assert slept == [0.5, 1, 2]
    assert len(slept) == TRIES - 1
    assert max(slept) <= LONGEST_S


def test_a_limit_is_for_the_caller_who_is_told_when_to_come_back() -> None:
    slept = list[float]()
    limit = httpx.Response(429, headers={"Retry-After": "30"}, json={"code": "rate_limited", "detail": "Too many."})

    with pytest.raises(Refused) as refused:
        trying(lambda _: limit, slept).submit("x")

    assert (refused.value.retry_after_s, slept) == (30, [])


@pytest.mark.parametrize("body", ["<html>", "[]", '{"id": 1}'])
def test_what_is_no_darkroom_is_told(body: str) -> None:
    with pytest.raises(Unreachable, match="Check the URL"):
        trying(lambda _: httpx.Response(200, text=body), []).submit("x")


def test_a_watch_that_is_cut_goes_on_behind_the_last_event() -> None:
    asked = list[str | None]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("last-event-id"))
        if not request.url.path.endswith("/events"):
            return httpx.Response(503, json={"code": "redis_unavailable", "detail": "x"})
        text = (
            'id: 1-0\nevent: step\ndata: {"step": 1}\n\n' if len(asked) == 1 else "id: 2-0\nevent: failed\ndata: {}\n\n"
        )
        return httpx.Response(200, text=text)

    def events(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/events"):
            return answer(request)
        return httpx.Response(200, json=RUNNING)

    found = [event.kind for event in trying(events, []).watch("x")]

    assert found == ["step", "failed"]
    assert asked == [None, "1-0"]


RUNNING = {
    "id": "x", "status": "running", "model": "m", "created_at": "2026-01-01T00:00:00Z", "seed": 1, "request": {},
    "images": [],
}  # fmt: skip


def test_it_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, darkroom.client; print({'torch', 'celery', 'redis', 'fastapi', 'PIL', 'numpy'} & set(sys.modules))"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)

    assert said.stdout == "set()\n"
