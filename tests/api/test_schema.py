"""Requests made up from our own OpenAPI document, with keys and without: its every word is true.

One seed here. By hand, others and more of them: `SCHEMA_CASES=100 pytest tests/api/test_schema.py --hypothesis-seed=2`.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from pydantic import SecretStr

from api.application import create_app
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import connect
from darkroom.settings import Settings
from tests.api.openai.painter import Painter
from tests.api.serving import Serving, serving

KEY = "k" * 24
CASES = os.environ.get("SCHEMA_CASES")
BOUNDED = settings(
    max_examples=int(CASES or 24), deadline=None, derandomize=not CASES, suppress_health_check=list(HealthCheck)
)
# What follows from a picture that a client names, from a product, or from a duration in words, no schema can tell.
UNTOLD = frozenset(
    {
        "image",
        "mask",
        "strength",
        "controlnet",
        "control_image",
        # Goes with `webhook`, as `strength` does with `image`.
        "webhook_events",
        "control_scale",
        "output_quality",
        "upscale",
        "webhook",
    }
)
# Whether bytes are a picture no schema can tell either, and `/v1` has the words of OpenAI's own document, without the
# bounds of our models.
UNTOLD_PATHS = ("/uploads", "/v1/")


def described(**changes: Any) -> Any:
    """With a signing key of its own, making the application leaves nothing on disk."""
    return schemathesis.openapi.from_dict(create_app(Settings(signing_key=SecretStr("s" * 32), **changes)).openapi())


keyed_document, open_document = described(api_keys=SecretStr(f"alice:{KEY}")), described()


@pytest.fixture(scope="module")
def keyed_api(embedded_redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    yield from served(Settings(api_keys=SecretStr(f"alice:{KEY}")), embedded_redis_url, tmp_path_factory)


@pytest.fixture(scope="module")
def open_api(embedded_redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    yield from served(Settings(), embedded_redis_url, tmp_path_factory)


def served(like: Settings, redis_url: str, folders: pytest.TempPathFactory) -> Iterator[Serving]:
    folder: Path = folders.mktemp("schema")
    of = like.model_copy(update={"redis_url": redis_url, "data_dir": folder})
    with serving(of) as it, connect(redis_url) as client:
        # Some routes answer when their job is done.
        painter = Painter(Claims(client, of), it.services.storage)
        painter.start()
        yield it
        painter.stop()


def check(case: Any, api: Serving, **more: Any) -> None:
    """All checks that schemathesis has."""
    is_untold = isinstance(case.body, dict) and any(case.body.get(name) is not None for name in UNTOLD)
    is_untold = is_untold or case.operation.path.startswith(UNTOLD_PATHS)
    is_untold = is_untold or "cancel-after" in {name.lower() for name in case.headers or ()}
    excluded = [schemathesis.checks.positive_data_acceptance] if is_untold else []
    if case.operation.path == "/usage":
        # The key is always sent, also where the case is that it is missing.
        excluded.append(schemathesis.checks.negative_data_rejection)
    case.call_and_validate(base_url=api.url, excluded_checks=excluded, timeout=30, **more)


@keyed_document.parametrize()  # type: ignore[untyped-decorator]
@BOUNDED
def test_with_keys_every_answer_is_one_that_the_document_knows(case: Any, keyed_api: Serving) -> None:
    check(case, keyed_api, headers={"Authorization": f"Bearer {KEY}"})


@open_document.parametrize()  # type: ignore[untyped-decorator]
@BOUNDED
def test_without_keys_too(case: Any, open_api: Serving) -> None:
    check(case, open_api)


def test_a_job_s_events_are_those_that_the_document_describes(open_api: Serving) -> None:
    """No identity that is made up belongs to a job."""
    asked = {"prompt": "a red circle"}
    job = httpx.post(f"{open_api.url}/generate", json=asked, headers={"Prefer": "wait=20"}, trust_env=False).json()

    case = open_document["/jobs/{job_id}/events"]["GET"].Case(path_parameters={"job_id": job["id"]})

    check(case, open_api)
