"""Every storage behind one face, so that one contract test holds them all to the same behaviour."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import pytest

from darkroom.errors import ObjectMissing, Refused
from darkroom.settings import Settings
from storage.contract import Storage
from storage.links import LinkSigner
from storage.local import LocalStorage
from storage.opening import open_storage
from tests.servers import S3Server

BASE_URL = "http://images.example"


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def go_to(self, moment: datetime) -> None:
        self.now = moment


@dataclass(frozen=True)
class Backend:
    """`fetch` follows a signed URL as a client would; None is a refusal."""

    storage: Storage
    fetch: Callable[[str], bytes | None]
    wait_until: Callable[[datetime], None]


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2030, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC))


@pytest.fixture
def local(tmp_path: Path, clock: Clock) -> LocalStorage:
    return LocalStorage(tmp_path / "images", LinkSigner(b"s" * 32), BASE_URL, clock=clock)


@pytest.fixture(scope="session")
def s3_settings(s3_server: S3Server) -> Settings:
    return Settings.model_validate(
        {
            "storage": "s3",
            "s3_endpoint_url": s3_server.endpoint_url,
            "s3_access_key_id": s3_server.access_key_id,
            "s3_secret_access_key": s3_server.secret_access_key,
            "s3_bucket": s3_server.bucket,
        }
    )


@pytest.fixture(scope="session")
def s3(s3_settings: Settings) -> Storage:
    return open_storage(s3_settings)


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.s3)])
def backend(request: pytest.FixtureRequest) -> Backend:
    if request.param == "local":
        storage: LocalStorage = request.getfixturevalue("local")
        clock: Clock = request.getfixturevalue("clock")
        return Backend(storage, lambda url: _serve(storage, url), clock.go_to)
    return Backend(request.getfixturevalue("s3"), _download, _wait)


def _serve(storage: LocalStorage, url: str) -> bytes | None:
    """What the API's route does with a link."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    try:
        path = storage.linked_path(
            unquote(parts.path).removeprefix("/files/"),
            expires=query["expires"],
            signature=query["signature"],
            filename=query.get("filename"),
        )
    except (Refused, ObjectMissing):
        return None
    return path.read_bytes()


def _download(url: str) -> bytes | None:
    answer = httpx.get(url, trust_env=False)
    return answer.content if answer.status_code == 200 else None


def _wait(moment: datetime) -> None:
    # The clock here is the S3 server's, in another process, so it cannot be moved by hand.
    time.sleep(max(0.0, (moment - datetime.now(UTC)) / timedelta(seconds=1)) + 0.1)
