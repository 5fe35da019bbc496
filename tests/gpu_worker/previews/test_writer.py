"""The thread that draws previews: the newest of each job, in turn, and in nobody's way."""

import base64
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO

import pytest
import structlog
from PIL import Image

from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client, connect
from darkroom.job_store.store import JobStore
from darkroom.request import ImageRequest
from darkroom.settings import Settings
from gpu_worker.generate import generate
from gpu_worker.jobs.lanes import Lanes, Watch
from gpu_worker.jobs.leases import Hold, LeaseKeeper
from gpu_worker.node import Node
from gpu_worker.previews.writer import MOST_CHARS, Preview, PreviewWriter, data_urls
from tests.conftest import MakeRequest
from tests.eventually import eventually
from tests.gpu_worker.conftest import Clock
from tests.gpu_worker.fakes import FakeLane
from tests.servers import free_port
from tests.worker_fixtures import StartJob

SOON_S = 20
PLAIN = [Image.new("RGB", (16, 16), "orange")]


class Easel:
    """Draws only when it is let; remembers what it drew."""

    def __init__(self) -> None:
        self.drawn: list[str] = []
        self.is_busy, self.may_draw = threading.Event(), threading.Event()

    def drawing(self, name: str) -> Callable[[], list[Image.Image]]:
        def draw() -> list[Image.Image]:
            self.is_busy.set()
            assert self.may_draw.wait(SOON_S)
            self.drawn.append(name)
            return PLAIN

        return draw


@pytest.fixture
def writer(claims: Claims) -> Iterator[PreviewWriter]:
    writer = PreviewWriter(claims)
    writer.start()
    yield writer
    writer.stop()


@pytest.fixture
def easel() -> Iterator[Easel]:
    easel = Easel()
    yield easel
    easel.may_draw.set()


@pytest.fixture
def hold(leases: LeaseKeeper, start_job: StartJob) -> Iterator[Hold]:
    with leases.hold(start_job(preview_every=1)) as hold:
        yield hold


@pytest.fixture
def other(leases: LeaseKeeper, start_job: StartJob) -> Iterator[Hold]:
    with leases.hold(start_job(preview_every=1)) as hold:
        yield hold


def shown(client: Client, hold: Hold) -> str:
    """The preview that watchers get now."""
    return "".join(fields["data"] for _, fields in client.xrange(keys.PREVIEW(hold.job.id)))


def test_a_preview_reaches_watchers_as_pictures(writer: PreviewWriter, hold: Hold, client: Client) -> None:
    writer.note(Preview(hold, 5, 20, lambda: PLAIN))

    assert '"step": 5, "steps": 20' in eventually(lambda: shown(client, hold))
    assert "data:image/webp;base64," in shown(client, hold)


def test_a_preview_that_takes_long_holds_up_no_lane(writer: PreviewWriter, easel: Easel, hold: Hold) -> None:
    writer.note(Preview(hold, 1, 20, easel.drawing("first")))
    assert easel.is_busy.wait(SOON_S)

    for step in range(2, 100):
        writer.note(Preview(hold, step, 100, easel.drawing(f"step {step}")))

    # All of that returned, though nothing is drawn yet.
    assert easel.drawn == []


def test_of_those_that_wait_only_a_job_s_newest_is_drawn_and_jobs_take_turns(
    writer: PreviewWriter, easel: Easel, hold: Hold, other: Hold
) -> None:
    writer.note(Preview(hold, 1, 20, easel.drawing("a1")))
    assert easel.is_busy.wait(SOON_S)
    for step in (2, 3):
        writer.note(Preview(hold, step, 20, easel.drawing(f"a{step}")))
    writer.note(Preview(other, 1, 20, easel.drawing("b1")))
    writer.note(Preview(hold, 4, 20, easel.drawing("a4")))

    easel.may_draw.set()

    eventually(lambda: len(easel.drawn) == 3)
    assert easel.drawn == ["a1", "a4", "b1"]


def test_a_job_that_is_drawn_needs_no_preview_any_more(
    writer: PreviewWriter, easel: Easel, hold: Hold, other: Hold
) -> None:
    writer.note(Preview(hold, 1, 20, easel.drawing("first")))
    assert easel.is_busy.wait(SOON_S)
    writer.note(Preview(hold, 2, 20, easel.drawing("too late")))
    writer.note(Preview(other, 1, 20, easel.drawing("other")))

    writer.forget(hold)
    easel.may_draw.set()

    eventually(lambda: "other" in easel.drawn)
    assert easel.drawn == ["first", "other"]


def test_nothing_is_drawn_for_a_job_that_is_lost_or_over_its_deadline(
    writer: PreviewWriter,
    easel: Easel,
    hold: Hold,
    other: Hold,
    leases: LeaseKeeper,
    start_job: StartJob,
    clock: Clock,
    settings: Settings,
) -> None:
    easel.may_draw.set()
    hold.lose()
    clock.now_s += settings.job_deadline_s + 1

    with leases.hold(start_job()) as fresh:
        for name, held in {"lost": hold, "too late": other, "fresh": fresh}.items():
            writer.note(Preview(held, 1, 20, easel.drawing(name)))
        eventually(lambda: "fresh" in easel.drawn)

    assert easel.drawn == ["fresh"]


def test_a_canceled_job_s_watchers_see_no_more_previews(
    writer: PreviewWriter, easel: Easel, hold: Hold, other: Hold, store: JobStore, client: Client
) -> None:
    easel.may_draw.set()
    store.cancel(hold.job.id)

    writer.note(Preview(hold, 1, 20, easel.drawing("refused")))
    writer.note(Preview(other, 1, 20, easel.drawing("other")))

    eventually(lambda: shown(client, other))
    assert shown(client, hold) == ""


def test_a_preview_that_cannot_be_drawn_costs_only_itself(writer: PreviewWriter, hold: Hold, client: Client) -> None:
    def fails() -> list[Image.Image]:
        raise ValueError("latents of shape (3,) are no grid")

    with structlog.testing.capture_logs() as logs:
        writer.note(Preview(hold, 1, 20, fails))
        eventually(lambda: [log["event"] for log in logs] == ["preview.lost"])
    writer.note(Preview(hold, 2, 20, lambda: PLAIN))

    assert '"step": 2' in eventually(lambda: shown(client, hold))


def test_so_does_one_that_redis_is_away_for(settings: Settings, hold: Hold) -> None:
    easel = Easel()
    easel.may_draw.set()
    with connect(f"redis://127.0.0.1:{free_port()}/0") as nobody, structlog.testing.capture_logs() as logs:
        writer = PreviewWriter(Claims(nobody, settings))
        writer.start()
        writer.note(Preview(hold, 1, 20, easel.drawing("first")))
        eventually(lambda: len(logs) == 1)
        writer.note(Preview(hold, 2, 20, easel.drawing("second")))
        eventually(lambda: len(logs) == 2)
        writer.stop()

    assert easel.drawn == ["first", "second"]
    assert {log["event"] for log in logs} == {"preview.lost"}


class PreviewingLane(FakeLane):
    """Waits at each step until its preview is to be seen."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client
        self.seen: list[int] = []

    def run(self, request: ImageRequest, watch: Watch) -> list[Image.Image]:
        def show(step: int) -> None:
            watch.preview(step, request.steps, lambda: PLAIN)
            eventually(lambda: f'"step": {step},' in str(self._client.xrange(keys.PREVIEW(watch.job_id))))
            self.seen.append(step)

        self.before_step = show
        return super().run(request, watch)


def test_a_job_of_a_whole_worker_shows_its_previews_while_it_runs(
    node: Node, store: JobStore, client: Client, request_of: MakeRequest
) -> None:
    lane = PreviewingLane(client)
    job_id = store.enqueue("alice", request_of(steps=3, preview_every=1)).job.id

    generate("minilab", replace(node, lanes={"minilab": Lanes([lane])}))

    assert lane.seen == [1, 2, 3]
    assert store.get(job_id).step == 3


def opened(url: str) -> Image.Image:
    kind, _, data = url.partition(";base64,")
    assert kind == "data:image/webp"
    return Image.open(BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize(
    ("size", "sent"),
    [((16, 16), (128, 128)), ((8, 16), (64, 128)), ((160, 128), (160, 128)), ((256, 128), (256, 128)),
     ((512, 256), (256, 128)), ((1, 4000), (1, 256))],
)  # fmt: skip
def test_a_picture_is_sent_in_a_size_that_can_be_looked_at(size: tuple[int, int], sent: tuple[int, int]) -> None:
    [url] = data_urls([Image.new("RGB", size, "teal")])

    assert opened(url).size == sent


@pytest.mark.parametrize("count", [1, 8, 64])
def test_however_many_they_are_and_whatever_they_show_a_preview_stays_small(count: int) -> None:
    noise = random.Random(0).randbytes(256 * 256 * 3)
    pictures = [Image.frombytes("RGB", (256, 256), noise) for _ in range(count)]

    urls = data_urls(pictures)

    assert len(urls) == count
    assert sum(map(len, urls)) <= MOST_CHARS
