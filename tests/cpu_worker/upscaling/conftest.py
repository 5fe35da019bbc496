"""An upscaler whose network only repeats pixels, and images to upscale."""

from collections.abc import Callable

import pytest
from PIL import Image

from cpu_worker.upscaling.tiles import Enlarge, Pixels
from cpu_worker.upscaling.upscaler import Upscaler
from darkroom.job_store.claims import Claims
from darkroom.job_store.store import JobStore
from darkroom.jobs import Job
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import Settings
from darkroom.upscaling import upscale_request
from tests.cpu_worker.conftest import FinishJob
from tests.watched_storage import WatchedStorage

PICTURE = Image.linear_gradient("L").convert("RGB").resize((250, 60))
Order = Callable[..., Job]


class Repeating:
    """`before` is called before each part."""

    def __init__(self) -> None:
        self.before: Callable[[], None] = lambda: None

    def load(self, factor: int) -> Enlarge:
        def enlarge(pixels: Pixels) -> Pixels:
            self.before()
            return pixels.repeat(factor, axis=0).repeat(factor, axis=1)

        return enlarge


@pytest.fixture
def network() -> Repeating:
    return Repeating()


@pytest.fixture
def upscaler(
    claims: Claims, store: JobStore, storage: WatchedStorage, wakeups: Wakeups, settings: Settings, network: Repeating
) -> Upscaler:
    patient = settings.model_copy(update={"delivery_patience_s": 0.0})
    return Upscaler(claims, store, storage, wakeups, patient, network.load)


@pytest.fixture
def order(store: JobStore, finish_job: FinishJob) -> Order:
    """A job in line that upscales pictures, of a job that has made them."""

    def put(*pictures: Image.Image, factor: int = 2) -> Job:
        made = finish_job(*(pictures or (PICTURE,)))
        return store.enqueue("alice", upscale_request(made, made.images, factor)).job

    return put
