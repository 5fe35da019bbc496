"""The `openai` package for Python, unchanged: what it can ask for comes back as it expects it."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import httpx
import openai
import pytest
from PIL import Image
from structlog.testing import capture_logs

from darkroom.errors import OutOfMemory
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.jobs import Job, JobState
from tests.api.openai.painter import COLOUR, Painter, preview
from tests.api.serving import Serving
from tests.eventually import eventually

Ai = openai.OpenAI


def opened(b64_json: str | None) -> Image.Image:
    return Image.open(BytesIO(base64.b64decode(b64_json or "")))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def claimed(by_hand: Painter) -> Job:
    job = eventually(by_hand.claim)
    assert job
    return job


def test_a_prompt_becomes_an_image_in_base64(ai: Ai, painter: Painter, http: httpx.Client) -> None:
    answer = ai.images.generate(prompt="a red circle")

    [image] = answer.data or []
    assert opened(image.b64_json).format == "PNG"
    assert opened(image.b64_json).size == (128, 128)
    assert opened(image.b64_json).getpixel((5, 5)) == COLOUR
    assert (answer.size, answer.quality, answer.output_format, answer.background) == (
        "128x128",
        "medium",
        "png",
        "opaque",
    )
    assert answer.usage
    assert answer.usage.total_tokens == 0
    job = http.get(f"/jobs/{answer.job_id}").json()  # type: ignore[attr-defined]
    assert (job["status"], job["request"]["prompt"]) == ("succeeded", "a red circle")
    assert job["images"][0]["id"] == image.id  # type: ignore[attr-defined]


def test_every_field_of_the_client_that_has_a_meaning_here_does_it(
    ai: Ai, painter: Painter, http: httpx.Client
) -> None:
    answer = ai.images.generate(
        model="minilab",
        prompt="a red circle",
        n=2,
        size="64x96",
        quality="high",
        output_format="webp",
        output_compression=40,
        background="opaque",
        response_format="url",
        moderation="low",
        style="vivid",
        user="somebody",
        safety_identifier="hashed",
        extra_body={
            "seed": 7, "guidance_scale": 3, "negative_prompt": "a square", "scheduler": "euler", "priority": "bulk",
            "step_reuse": "low", "deadline_s": 60,
        },
    )  # fmt: skip

    request = http.get(f"/jobs/{answer.job_id}").json()["request"]  # type: ignore[attr-defined]
    assert request == request | {
        "model": "minilab", "n": 2, "width": 64, "height": 96, "steps": 30, "output_format": "webp",
        "output_quality": 40, "seed": 7, "guidance_scale": 3.0, "negative_prompt": "a square", "scheduler": "euler",
        "priority": "bulk", "step_reuse": "low", "deadline_s": 60.0,
    }  # fmt: skip
    assert (answer.size, answer.quality, answer.output_format) == ("64x96", "high", "webp")
    assert answer.safety_identifier == "hashed"
    images = [Image.open(BytesIO(httpx.get(image.url or "", trust_env=False).content)) for image in answer.data or []]
    assert [(image.format, image.size) for image in images] == [("WEBP", (64, 96))] * 2
    assert [image.seed for image in answer.data or []] == [7, 8]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("quality", "steps", "shown"),
    [
        ("low", 10, "low"), ("medium", 20, "medium"), ("auto", 20, "medium"), ("standard", 20, "medium"),
        ("high", 30, "high"), ("hd", 30, "high"), ("xhigh", 40, "xhigh"), ("max", 60, "max"),
    ],
)  # fmt: skip
def test_quality_is_a_number_of_steps(
    quality: Any, steps: int, shown: str, ai: Ai, painter: Painter, store: JobStore
) -> None:
    answer = ai.images.generate(prompt="a red circle", quality=quality)

    assert store.get(answer.job_id).request.steps == steps  # type: ignore[attr-defined]
    assert answer.quality == shown


def test_steps_that_are_named_go_before_quality(ai: Ai, painter: Painter, store: JobStore) -> None:
    answer = ai.images.generate(prompt="a red circle", quality="max", extra_body={"steps": 3})

    assert store.get(answer.job_id).request.steps == 3  # type: ignore[attr-defined]


def test_a_stream_brings_partial_images_and_then_the_image(ai: Ai, by_hand: Painter) -> None:
    stream = iter(ai.images.generate(prompt="a red circle", stream=True, partial_images=2, output_format="jpeg", n=2))
    job = claimed(by_hand)

    partial = []
    for step in (7, 14):
        by_hand.claims.preview(job, step, 20, [preview(), preview(32, 32)])
        partial += [next(stream), next(stream)]
    by_hand.finish(job)
    finished = list(stream)

    assert job.request.preview_every == 7
    assert [event.type for event in partial] == ["image_generation.partial_image"] * 4
    assert [event.partial_image_index for event in partial] == [0, 0, 1, 1]  # type: ignore[union-attr]
    assert [event.size for event in partial] == ["64x48", "32x32"] * 2
    assert [opened(event.b64_json).format for event in partial] == ["JPEG"] * 4
    assert [event.type for event in finished] == ["image_generation.completed"] * 2
    assert [opened(event.b64_json).size for event in finished] == [(128, 128)] * 2
    for event in finished:
        assert (event.size, event.output_format, event.quality) == ("128x128", "jpeg", "medium")
        assert event.usage.total_tokens == 0  # type: ignore[union-attr]
        assert event.created_at > 1_600_000_000


def test_no_more_partial_images_come_than_were_asked_for(ai: Ai, by_hand: Painter) -> None:
    stream = iter(ai.images.generate(prompt="a red circle", stream=True, partial_images=1))
    job = claimed(by_hand)

    by_hand.claims.preview(job, 10, 20, [preview()])
    first = next(stream)
    by_hand.claims.preview(job, 15, 20, [preview()])
    by_hand.finish(job)

    assert first.type == "image_generation.partial_image"
    assert [event.type for event in stream] == ["image_generation.completed"]


def test_a_stream_without_partial_images_has_the_image_alone(ai: Ai, painter: Painter, store: JobStore) -> None:
    [event] = ai.images.generate(prompt="a red circle", stream=True)

    assert event.type == "image_generation.completed"
    assert store.newest("anonymous", limit=1)[0].request.preview_every == 0


def test_a_stream_whose_job_fails_raises_with_its_reason(ai: Ai, by_hand: Painter) -> None:
    stream = ai.images.generate(prompt="a red circle", stream=True)
    by_hand.claims.fail(claimed(by_hand), OutOfMemory("It does not fit. Ask for a smaller size."))

    with pytest.raises(openai.APIError, match="Ask for a smaller size") as failure:
        list(stream)

    assert failure.value.code == "out_of_memory"


def test_a_stream_that_is_left_cancels_its_job(ai: Ai, by_hand: Painter, store: JobStore) -> None:
    with ai.images.generate(prompt="a red circle", stream=True, partial_images=1) as stream:
        job = claimed(by_hand)
        by_hand.claims.preview(job, 10, 20, [preview()])
        next(iter(stream))

    eventually(lambda: store.get(job.id).state is JobState.CANCELED)


def test_a_call_that_is_left_cancels_its_job(ai: Ai, by_hand: Painter, store: JobStore) -> None:
    with pytest.raises(openai.APITimeoutError):
        ai.with_options(timeout=0.5).images.generate(prompt="a red circle")

    [job] = eventually(lambda: store.newest("anonymous", limit=2))
    eventually(lambda: store.get(job.id).state is JobState.CANCELED)


@pytest.mark.parametrize(
    "how", [{"extra_headers": {"Idempotency-Key": "mine"}}, {"extra_body": {"cancel_on_disconnect": False}}]
)
def test_a_job_goes_on_where_the_client_said_that_it_may_come_back(
    how: dict[str, Any], ai: Ai, by_hand: Painter, store: JobStore
) -> None:
    with capture_logs() as lines:
        with pytest.raises(openai.APITimeoutError):
            ai.with_options(timeout=0.5).images.generate(prompt="a red circle", **how)
        eventually(lambda: any(line["event"] == "job.client_left" for line in lines))

    [job] = store.newest("anonymous", limit=3)
    assert job.state is JobState.QUEUED


def test_a_call_tried_again_with_an_idempotency_key_gets_the_same_job(
    ai: Ai, by_hand: Painter, store: JobStore, pool: ThreadPoolExecutor
) -> None:
    """The first try times out; the client's own second one has the image of the first."""
    patient = ai.with_options(timeout=1.0, max_retries=5)

    waiting = pool.submit(patient.images.generate, prompt="a red circle", extra_headers={"Idempotency-Key": "order-1"})
    job = claimed(by_hand)
    eventually(lambda: store.get(job.id))
    by_hand.finish(job)

    assert waiting.result(timeout=30).job_id == job.id  # type: ignore[attr-defined]
    assert len(store.newest("anonymous", limit=5)) == 1


def test_another_body_under_the_same_idempotency_key_is_refused_and_not_tried_again(
    ai: Ai, painter: Painter, api: Serving
) -> None:
    same = {"Idempotency-Key": "order-1"}
    ai.images.generate(prompt="a red circle", extra_headers=same)

    with pytest.raises(openai.ConflictError) as conflict:
        ai.with_options(max_retries=5).images.generate(prompt="a blue circle", extra_headers=same)

    assert conflict.value.code == "idempotency_conflict"
    assert conflict.value.response.headers["x-should-retry"] == "false"
    assert conflict.value.response.request.headers["x-stainless-retry-count"] == "0"


def test_a_job_that_fails_is_a_server_error_with_its_reason_and_not_made_again(
    ai: Ai, by_hand: Painter, store: JobStore, pool: ThreadPoolExecutor
) -> None:
    waiting = pool.submit(ai.with_options(max_retries=3).images.generate, prompt="a red circle")
    by_hand.claims.fail(claimed(by_hand), OutOfMemory("It does not fit. Ask for a smaller size."))

    failure = waiting.exception(timeout=30)

    assert isinstance(failure, openai.InternalServerError)
    assert (failure.code, failure.type) == ("out_of_memory", "server_error")
    assert len(store.newest("anonymous", limit=5)) == 1


def test_a_job_that_somebody_cancels_is_a_conflict(
    ai: Ai, by_hand: Painter, store: JobStore, pool: ThreadPoolExecutor
) -> None:
    waiting = pool.submit(ai.with_options(max_retries=3).images.generate, prompt="a red circle")
    store.cancel(claimed(by_hand).id)

    failure = waiting.exception(timeout=30)

    assert isinstance(failure, openai.ConflictError)
    assert failure.code == "job_canceled"
    assert len(store.newest("anonymous", limit=5)) == 1


def test_a_job_past_its_deadline_says_so(
    ai: Ai, by_hand: Painter, client: Client, upkeep: Upkeep, pool: ThreadPoolExecutor
) -> None:
    waiting = pool.submit(ai.images.generate, prompt="a red circle", extra_headers={"Cancel-After": "1m"})
    client.zadd(keys.DEADLINES(), {claimed(by_hand).id: 1}, xx=True)
    upkeep.cancel_late()

    failure = waiting.exception(timeout=30)

    assert isinstance(failure, openai.InternalServerError)
    assert (failure.status_code, failure.code) == (504, "deadline_passed")


def test_the_raw_answer_names_its_request_and_its_job(ai: Ai, painter: Painter) -> None:
    raw = ai.images.with_raw_response.generate(prompt="a red circle", extra_headers={"X-Request-ID": "order-9"})

    assert raw.request_id == "order-9"
    assert raw.headers["x-job-id"] == raw.parse().job_id  # type: ignore[attr-defined]
    assert raw.headers["location"].endswith(f"/jobs/{raw.headers['x-job-id']}")


async def _asynchronously(url: str) -> tuple[openai.types.ImagesResponse, list[str]]:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", timeout=30) as ai:
        answer = await ai.images.generate(prompt="a red circle")
        stream = await ai.images.generate(prompt="a red circle", stream=True)
        return answer, [event.type async for event in stream]


def test_the_asynchronous_client_does_the_same(api: Serving, painter: Painter) -> None:
    import asyncio

    answer, events = asyncio.run(_asynchronously(api.url))

    assert opened((answer.data or [])[0].b64_json).size == (128, 128)
    assert events == ["image_generation.completed"]


def test_models_are_listed_and_looked_up(ai: Ai) -> None:
    models = {model.id: model for model in ai.models.list()}

    assert "minilab" in models
    assert ai.models.retrieve("minilab") == models["minilab"]
    with pytest.raises(openai.NotFoundError) as missing:
        ai.models.retrieve("dall-e-3")
    assert (missing.value.code, missing.value.param) == ("unknown_model", "model")
