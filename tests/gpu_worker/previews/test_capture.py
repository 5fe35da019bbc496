"""Previews from a lane that runs the bundled model, and that they change nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
import torch
from PIL import Image

from darkroom.catalogue import ModelCard, read_catalogue
from darkroom.errors import JobTaken
from darkroom.request import ImageRequest
from darkroom.settings import BUNDLED_CATALOGUE
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Knees
from gpu_worker.jobs.pipeline_lane import PipelineLane
from gpu_worker.previews.capture import PreviewDecoder, learn_decoder
from gpu_worker.previews.writer import Draw
from gpu_worker.profiling.loading import Nobody
from models.device import Device
from models.loading import load_pipeline
from models.previews.latent_colours import LatentColours
from models.transfer import snapshot
from tests.conftest import MakeRequest

SCHEDULERS = read_catalogue(BUNDLED_CATALOGUE)["minilab"].schedulers


class Gallery(Nobody):
    """Keeps what could be drawn; draws when it is looked at."""

    job_id = "the-job"

    def __init__(self) -> None:
        self.hung: dict[int, Draw] = {}

    def preview(self, step: int, steps: int, draw: Draw) -> None:
        self.hung[step] = draw


class Impossible:
    """A decoder that cannot make anything of these latents."""

    def pictures(self, latents: torch.Tensor, aspect: float) -> list[Image.Image]:
        raise ValueError("no grid")


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return read_catalogue(BUNDLED_CATALOGUE)["minilab"]


@pytest.fixture(scope="module")
def base(card: ModelCard, one_thread: None) -> Any:
    return load_pipeline(card, device="cpu", dtype=torch.float32)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine(Knees(8), "cpu")
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture(scope="module")
def decoder(card: ModelCard, base: Any, engine: Engine) -> PreviewDecoder:
    decoder = learn_decoder(card, base, engine, Device("cpu"), None)
    assert decoder
    return decoder


@pytest.fixture(scope="module")
def lane(card: ModelCard, base: Any, engine: Engine, decoder: PreviewDecoder) -> PipelineLane:
    return PipelineLane(card, base, engine, decoder)


@pytest.fixture
def small(request_of: MakeRequest) -> MakeRequest:
    def make(**changes: object) -> ImageRequest:
        return request_of(**{"width": 64, "height": 64, "steps": 4, **changes})

    return make


def test_previews_come_every_so_many_steps_and_not_at_the_last(lane: PipelineLane, small: MakeRequest) -> None:
    gallery = Gallery()

    lane.run(small(steps=6, preview_every=2), gallery)

    assert list(gallery.hung) == [2, 4]


def test_without_a_wish_for_them_there_are_none(lane: PipelineLane, small: MakeRequest) -> None:
    gallery = Gallery()

    lane.run(small(), gallery)

    assert gallery.hung == {}


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_an_image_is_the_same_bit_for_bit_with_and_without_previews(
    scheduler: str, lane: PipelineLane, small: MakeRequest
) -> None:
    gallery = Gallery()

    [plain] = lane.run(small(scheduler=scheduler), Gallery())
    [previewed] = lane.run(small(scheduler=scheduler, preview_every=1), gallery)

    assert len(gallery.hung) >= 3
    assert plain.tobytes() == previewed.tobytes()


def test_with_batch_mates_too_previews_leave_every_image_what_it_is_alone(
    card: ModelCard, base: Any, engine: Engine, decoder: PreviewDecoder, small: MakeRequest
) -> None:
    lanes = [PipelineLane(card, base, engine, decoder) for _ in range(4)]
    requests = [small(seed=seed, steps=3 + seed, preview_every=seed % 3) for seed in range(4)]
    galleries = [Gallery() for _ in requests]

    with ThreadPoolExecutor(4, initializer=torch.set_num_threads, initargs=(1,)) as threads:
        together = list(threads.map(PipelineLane.run, lanes, requests, galleries))

    assert [list(gallery.hung) for gallery in galleries] == [[], [1, 2, 3], [2, 4], []]
    for request, [image] in zip(requests, together, strict=True):
        [alone] = lanes[0].run(request.model_copy(update={"preview_every": 0}), Gallery())
        assert np.abs(np.asarray(alone, dtype=int) - np.asarray(image, dtype=int)).max() <= 2


def test_a_preview_looks_like_the_image_that_follows(lane: PipelineLane, small: MakeRequest) -> None:
    gallery = Gallery()
    request = small(prompt="a red circle on a white background", width=128, height=128, steps=12, preview_every=1)

    [image] = lane.run(request, gallery)

    likeness = {step: _likeness(draw()[0], image) for step, draw in gallery.hung.items()}
    assert likeness[11] > 0.8
    assert likeness[6] > 0.6


def test_there_is_a_picture_for_each_image_of_the_job_in_its_shape(lane: PipelineLane, small: MakeRequest) -> None:
    gallery = Gallery()

    lane.run(small(width=128, height=64, n=3, preview_every=3), gallery)

    pictures = gallery.hung[3]()
    assert len({picture.tobytes() for picture in pictures}) == 3
    assert {picture.width / picture.height for picture in pictures} == {2.0}


def test_what_is_drawn_later_shows_its_own_step(lane: PipelineLane, small: MakeRequest) -> None:
    """Else a preview drawn late would show whatever the run has made of its latents meanwhile."""
    early, late = Gallery(), Gallery()
    pictures: list[bytes] = []
    early.preview = lambda step, steps, draw: pictures.append(draw()[0].tobytes())  # type: ignore[method-assign]

    lane.run(small(preview_every=1), early)
    lane.run(small(preview_every=1), late)

    assert [draw()[0].tobytes() for draw in late.hung.values()] == pictures


def test_a_job_that_is_broken_off_gives_no_further_preview(lane: PipelineLane, small: MakeRequest) -> None:
    class Canceled(Gallery):
        def step_done(self, step: int, steps: int) -> None:
            if step == 2:
                raise JobTaken("canceled")

    gallery = Canceled()

    with pytest.raises(JobTaken):
        lane.run(small(steps=6, preview_every=1), gallery)

    assert list(gallery.hung) == [1]


def test_an_image_is_not_lost_for_want_of_its_preview(lane: PipelineLane, small: MakeRequest) -> None:
    class Full(Gallery):
        def preview(self, step: int, steps: int, draw: Draw) -> None:
            raise MemoryError

    with structlog.testing.capture_logs() as logs:
        images = lane.run(small(preview_every=2), Full())

    assert len(images) == 1
    assert [(log["event"], log["job_id"], log["error"]) for log in logs] == [("preview.lost", "the-job", "MemoryError")]


def test_painting_is_left_to_others(card: ModelCard, base: Any, engine: Engine, small: MakeRequest) -> None:
    gallery = Gallery()

    PipelineLane(card, base, engine, Impossible()).run(small(preview_every=1), gallery)

    with pytest.raises(ValueError, match="no grid"):
        gallery.hung[1]()


def test_a_model_whose_latents_cannot_be_learnt_is_served_without_previews(
    card: ModelCard, base: Any, engine: Engine, small: MakeRequest
) -> None:
    wide = card.model_copy(update={"size": card.size.model_copy(update={"min": 3})})

    with structlog.testing.capture_logs() as logs:
        decoder = learn_decoder(wide, base, engine, Device("cpu"), None)
    gallery = Gallery()
    images = PipelineLane(card, base, engine, decoder).run(small(preview_every=1), gallery)

    assert decoder is None
    assert [log["event"] for log in logs] == ["preview.none"]
    assert (len(images), gallery.hung) == (1, {})


def test_without_the_tiny_autoencoder_that_its_card_names_a_model_is_painted_by_its_own(
    card: ModelCard, base: Any, engine: Engine, tmp_path: Path
) -> None:
    finer = card.model_copy(update={"tiny_vae": "nobody/tae-minilab"})

    with structlog.testing.capture_logs() as logs:
        decoder = learn_decoder(finer, base, engine, Device("cuda:0"), tmp_path)

    assert isinstance(decoder, LatentColours)
    assert [log["event"] for log in logs] == ["preview.coarse"]
    assert "hf download nobody/tae-minilab" in logs[0]["reason"]


@pytest.mark.cuda
def test_on_cuda_a_snapshot_waits_for_nothing() -> None:
    latents = torch.randn(1, 16, 128, 128, device="cuda")
    snapshot(latents).wait()  # the first one sets up pinned memory
    torch.cuda.set_sync_debug_mode("error")
    try:
        standing = snapshot(latents)
    finally:
        torch.cuda.set_sync_debug_mode("default")

    assert torch.equal(standing.wait(), latents.cpu())
    assert standing.wait().is_pinned()


def _likeness(preview: Image.Image, image: Image.Image) -> float:
    small = image.resize(preview.size, Image.Resampling.BOX)
    return float(np.corrcoef(np.asarray(preview).ravel(), np.asarray(small).ravel())[0, 1])
