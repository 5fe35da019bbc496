import asyncio
import json
from base64 import b64encode
from collections.abc import Callable

import httpx
import pytest

from benchmarks.clients import DarkroomClient, bentoml_client, plain_client
from benchmarks.work import Work

WORK = Work("a circle", steps=4, seed=7)
PNG = b"\x89PNG\r\n and so on"


def _http(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://test")


def _draw_with_darkroom(answer: Callable[[httpx.Request], httpx.Response]) -> bytes:
    return asyncio.run(DarkroomClient(_http(answer), "minilab", 128).draw(WORK))


def _job(status: str) -> httpx.Response:
    images = [{"url": "http://test/file.png"}] if status == "succeeded" else []
    return httpx.Response(
        200, json={"id": "a1", "status": status, "images": images, "error": {"code": "out_of_memory"}}
    )


def test_a_plain_server_answers_with_the_file() -> None:
    assert asyncio.run(plain_client(_http(lambda _: httpx.Response(200, content=PNG)))(WORK)) == PNG


def test_a_server_that_refuses_is_no_image() -> None:
    with pytest.raises(httpx.HTTPStatusError):
        asyncio.run(plain_client(_http(lambda _: httpx.Response(503)))(WORK))


def test_bentoml_is_sent_a_list_of_one() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        (work,) = json.loads(request.content)["works"]
        assert work["steps"] == 4
        return httpx.Response(200, json=[b64encode(PNG).decode()])

    assert asyncio.run(bentoml_client(_http(answer))(WORK)) == PNG


def test_darkroom_is_asked_to_wait_and_the_image_is_fetched_by_its_link() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/file.png":
            return httpx.Response(200, content=PNG)
        assert request.headers["Prefer"] == "wait=60"
        return _job("succeeded")

    assert _draw_with_darkroom(answer) == PNG


def test_a_job_that_takes_longer_than_darkroom_waits_is_asked_for_again() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return (
            httpx.Response(200, content=PNG)
            if request.url.path == "/file.png"
            else _job("running" if request.method == "POST" else "succeeded")
        )

    assert _draw_with_darkroom(answer) == PNG
    assert asked == ["/generate", "/jobs/a1", "/file.png"]


def test_a_job_that_failed_says_why() -> None:
    with pytest.raises(RuntimeError, match="out_of_memory"):
        _draw_with_darkroom(lambda _: _job("failed"))
