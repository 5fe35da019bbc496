"""The official clients, unchanged, against the API over real HTTP."""

from collections.abc import Iterator

import openai
import pytest

from darkroom.job_store.claims import Claims
from tests.api.openai.painter import Painter
from tests.api.serving import Serving


@pytest.fixture
def by_hand(api: Serving, claims: Claims) -> Painter:
    """A painter that a test moves step by step."""
    return Painter(claims, api.services.storage)


@pytest.fixture
def painter(by_hand: Painter) -> Iterator[Painter]:
    """One that paints all by itself."""
    by_hand.start()
    yield by_hand
    by_hand.stop()


@pytest.fixture
def ai(api: Serving) -> Iterator[openai.OpenAI]:
    """It never tries again by itself, so that a test sees each answer."""
    with openai.OpenAI(base_url=f"{api.url}/v1", api_key="any", max_retries=0, timeout=30) as client:
        yield client
