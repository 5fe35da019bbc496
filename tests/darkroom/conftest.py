"""A job store over a real Redis, and requests to put into it."""

from collections.abc import Callable, Iterator

import pytest

from darkroom.claims import Claims
from darkroom.redis_client import Client, connect
from darkroom.request import ImageRequest, OutputFormat, Priority
from darkroom.settings import Settings
from darkroom.store import JobStore
from darkroom.upkeep import Upkeep

MakeRequest = Callable[..., ImageRequest]


@pytest.fixture
def settings(redis_url: str) -> Settings:
    return Settings(redis_url=redis_url, max_waiting_per_model=50, max_waiting_per_key=40)


@pytest.fixture
def client(redis_url: str) -> Iterator[Client]:
    with connect(redis_url) as client:
        yield client


@pytest.fixture
def store(client: Client, settings: Settings) -> JobStore:
    return JobStore(client, settings)


@pytest.fixture
def claims(client: Client, settings: Settings) -> Claims:
    return Claims(client, settings)


@pytest.fixture
def upkeep(client: Client, settings: Settings) -> Upkeep:
    return Upkeep(client, settings)


@pytest.fixture
def request_of() -> MakeRequest:
    def make(**changes: object) -> ImageRequest:
        fields: dict[str, object] = {
            "model": "minilab",
            "prompt": "a red circle",
            "negative_prompt": None,
            "width": 1000,
            "height": 1000,
            "steps": 1,
            "guidance_scale": 4.0,
            "seed": 7,
            "n": 1,
            "scheduler": "dpmpp_2m",
            "output_format": OutputFormat.PNG,
            "priority": Priority.INTERACTIVE,
        }
        return ImageRequest.model_validate(fields | changes)

    return make
