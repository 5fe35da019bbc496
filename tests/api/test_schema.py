"""Requests made up from our own OpenAPI document: no 500, and no answer that the document does not know."""

from collections.abc import Iterator
from typing import Any

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

KEY = {"Authorization": "Bearer " + "k" * 24}

# With a signing key of its own, making the application leaves nothing on disk.
document = schemathesis.openapi.from_dict(create_app(Settings(signing_key=SecretStr("s" * 32))).openapi())


@pytest.fixture(scope="module")
def keyed_api(embedded_redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """With a key, so that requests without one are made up too."""
    key = KEY["Authorization"].removeprefix("Bearer ")
    keyed = Settings(
        redis_url=embedded_redis_url, data_dir=tmp_path_factory.mktemp("schema"), api_keys=SecretStr(f"alice:{key}")
    )
    with serving(keyed) as it, connect(embedded_redis_url) as client:
        # Some routes answer when their job is done.
        painter = Painter(Claims(client, keyed), it.services.storage)
        painter.start()
        yield it
        painter.stop()


@document.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_the_document_knows(case: Any, keyed_api: Serving) -> None:
    # Bounds of size and steps are each model's own, so a body that the document allows may still be refused.
    case.call_and_validate(
        base_url=keyed_api.url,
        headers=KEY,
        excluded_checks=[schemathesis.checks.positive_data_acceptance],
        timeout=30,
    )
