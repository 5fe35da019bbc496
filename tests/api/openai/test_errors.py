"""Errors under /v1: OpenAI's shape for whatever is wrong and wherever it is found, and our own code in it."""

from typing import Any

import httpx
import openai
import pytest
from pydantic import SecretStr

from api.openai.errors import OpenAIError
from darkroom.job_store.redis_client import Client
from darkroom.settings import Settings
from tests.api.serving import serving
from tests.servers import free_port

GENERATIONS = "/v1/images/generations"


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The error, once its form is checked."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    body: dict[str, Any] = answer.json()
    assert OpenAIError.model_validate(body).model_dump() == body
    assert body["error"]["message"].endswith(".")
    error: dict[str, Any] = body["error"]
    return error


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"size": "large"}, "size", "invalid_field"),
        ({"size": "128"}, "size", "invalid_field"),
        ({"size": "64x1024"}, "size", "size_out_of_range"),
        ({"size": "100x128"}, "size", "size_off_grid"),
        ({"n": 0}, "n", "n_out_of_range"),
        ({"n": 100}, "n", "n_out_of_range"),
        ({"n": "2"}, "n", "invalid_field"),
        ({"prompt": " "}, "prompt", "prompt_empty"),
        ({"prompt": "a" * 4001}, "prompt", "prompt_too_long"),
        ({"quality": "best"}, "quality", "invalid_field"),
        ({"output_format": "gif"}, "output_format", "invalid_field"),
        ({"output_format": "svg"}, "output_format", "invalid_field"),
        ({"output_compression": 101}, "output_compression", "invalid_field"),
        ({"output_compression": 50}, "output_compression", "output_quality_unsupported"),
        ({"background": "transparent"}, "background", "invalid_field"),
        ({"stream": True, "response_format": "url"}, "response_format", "invalid_field"),
        ({"partial_images": 2}, "partial_images", "invalid_field"),
        ({"stream": True, "partial_images": 4}, "partial_images", "invalid_field"),
        ({"frame_count": 4}, "frame_count", "unknown_field"),
        ({"complexity": "high"}, "complexity", "unknown_field"),
        ({"seed": -1}, "seed", "seed_out_of_range"),
        ({"steps": 1000}, "steps", "steps_out_of_range"),
        ({"scheduler": "magic"}, "scheduler", "unknown_scheduler"),
        ({"deadline_s": 1}, "deadline_s", "deadline_s_out_of_range"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_field_and_a_sentence(
    fields: dict[str, Any], param: str, code: str, shared_http: httpx.Client
) -> None:
    answer = shared_http.post(GENERATIONS, json={"prompt": "a red circle"} | fields)

    error = error_of(answer)
    assert (answer.status_code, error["type"]) == (422, "invalid_request_error")
    assert (error["param"], error["code"]) == (param, code)


@pytest.mark.parametrize(
    ("ask", "status", "code"),
    [
        ({"method": "POST", "url": GENERATIONS, "content": "{", "headers": {"Content-Type": "application/json"}},
         400, "malformed_json"),
        ({"method": "POST", "url": GENERATIONS, "content": "a"}, 415, "unsupported_media_type"),
        ({"method": "POST", "url": GENERATIONS, "json": {"prompt": "a", "model": "dall-e-3"}}, 404, "unknown_model"),
        ({"method": "POST", "url": GENERATIONS, "json": {"prompt": "a" * 70_000}}, 413, "body_too_large"),
        ({"method": "POST", "url": GENERATIONS, "json": {}}, 422, "missing_field"),
        ({"method": "GET", "url": GENERATIONS}, 405, "method_not_allowed"),
        ({"method": "POST", "url": "/v1/images/pictures", "json": {}}, 404, "not_found"),
        ({"method": "GET", "url": "/v1/models/none"}, 404, "unknown_model"),
        ({"method": "POST", "url": "/v1/chat/completions", "json": {}}, 404, "not_found"),
    ],
)  # fmt: skip
def test_every_refusal_has_the_shape_that_clients_know(
    ask: dict[str, Any], status: int, code: str, shared_http: httpx.Client
) -> None:
    answer = shared_http.request(**ask)

    assert (answer.status_code, error_of(answer)["code"]) == (status, code)


def test_elsewhere_errors_are_problem_documents_as_ever(shared_http: httpx.Client) -> None:
    for path in ("/v1", "/v10/models", "/jobs/none"):
        assert shared_http.get(path).headers["content-type"] == "application/problem+json"


def test_without_a_key_the_client_raises_that_it_is_not_authorized(settings: Settings) -> None:
    keyed = settings.model_copy(update={"api_keys": SecretStr("alice:" + "k" * 24)})
    with serving(keyed) as api:
        with (
            openai.OpenAI(base_url=f"{api.url}/v1", api_key="wrong", max_retries=3) as stranger,
            pytest.raises(openai.AuthenticationError) as refusal,
        ):
            stranger.images.generate(prompt="a red circle")
        with openai.OpenAI(base_url=f"{api.url}/v1", api_key="k" * 24) as alice:
            assert [model.id for model in alice.models.list()]

    assert refusal.value.code == "unauthorized"
    assert refusal.value.response.headers["www-authenticate"] == "Bearer"


def test_a_full_line_is_a_rate_limit_with_the_time_to_come_back(settings: Settings, client: Client) -> None:
    small = settings.model_copy(update={"max_waiting_per_key": 1})
    with serving(small) as api, openai.OpenAI(base_url=f"{api.url}/v1", api_key="any", max_retries=0) as ai:
        httpx.post(f"{api.url}/generate", json={"prompt": "a red circle"}, trust_env=False)
        with pytest.raises(openai.RateLimitError) as refusal:
            ai.images.generate(prompt="a red circle")

    assert (refusal.value.code, refusal.value.type) == ("waiting_limit", "rate_limit_error")
    assert int(refusal.value.response.headers["retry-after"]) >= 1
    assert "x-should-retry" not in refusal.value.response.headers


def test_a_part_that_is_away_is_a_server_error_that_may_be_tried_again(settings: Settings) -> None:
    cut_off = settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}/0"})
    with serving(cut_off) as api:
        answer = httpx.post(f"{api.url}{GENERATIONS}", json={"prompt": "a red circle"}, trust_env=False, timeout=30)

    error = error_of(answer)
    assert (answer.status_code, error["code"], error["type"]) == (503, "redis_unavailable", "server_error")
    assert answer.headers["retry-after"] == "5"
    assert "x-should-retry" not in answer.headers


def test_what_nobody_foresaw_has_the_shape_too(settings: Settings) -> None:
    with serving(settings) as api:
        object.__setattr__(api.services, "catalogue", None)
        answer = httpx.get(f"{api.url}/v1/models", trust_env=False, timeout=60)

    assert (answer.status_code, error_of(answer)["code"]) == (500, "internal_error")
