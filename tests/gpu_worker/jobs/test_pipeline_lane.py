"""A lane over the bundled model's real weights."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from PIL import Image

from darkroom.catalogue import ModelCard, read_catalogue
from darkroom.errors import GenerationFailed, JobTaken, OutOfMemory
from darkroom.request import ImageRequest
from darkroom.settings import BUNDLED_CATALOGUE, Settings
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Knees
from gpu_worker.jobs.pipeline_lane import PipelineLane
from gpu_worker.memory.budget import MemoryBudget
from gpu_worker.memory.device import Peak
from gpu_worker.memory.job_memory import Gate, JobMemory, MeasuredForward
from gpu_worker.profiling.loading import Nobody, load_lanes
from models.device import Device
from models.loading import load_pipeline
from tests.conftest import MakeRequest

Draw = Callable[..., list[Image.Image]]


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return read_catalogue(BUNDLED_CATALOGUE)["minilab"]


@pytest.fixture(scope="module")
def base(card: ModelCard, one_thread: None) -> Any:
    import torch

    return load_pipeline(card, device="cpu", dtype=torch.float32)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine(Knees(8), "cpu")
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture(scope="module")
def lane(card: ModelCard, base: Any, engine: Engine) -> PipelineLane:
    return PipelineLane(card, base, engine)


@pytest.fixture
def small(request_of: MakeRequest) -> MakeRequest:
    def make(**changes: object) -> ImageRequest:
        return request_of(**{"width": 64, "height": 64, "steps": 3, **changes})

    return make


class Telling(Nobody):
    """A watch that does this at each step's end."""

    def __init__(self, on_step: Callable[[int, int], None]) -> None:
        self._on_step = on_step

    def step_done(self, step: int, steps: int) -> None:
        self._on_step(step, steps)


go_on = Nobody()


def pixels(image: Image.Image) -> Any:
    return np.asarray(image, dtype=np.float64) / 255


@contextmanager
def network_that_raises(network: Any, error: Exception) -> Iterator[None]:
    def fail(*_: object) -> None:
        raise error

    hook = network.register_forward_pre_hook(fail)
    try:
        yield
    finally:
        hook.remove()


def test_the_same_request_gives_the_same_image_bit_for_bit(lane: PipelineLane, small: MakeRequest) -> None:
    first, second = (lane.run(small(), go_on)[0] for _ in range(2))

    assert first.size == (64, 64)
    assert first.tobytes() == second.tobytes()


def test_another_seed_or_prompt_gives_another_image(lane: PipelineLane, small: MakeRequest) -> None:
    images = [lane.run(small(**changes), go_on)[0] for changes in ({}, {"seed": 8}, {"prompt": "a blue square"})]

    assert len({image.tobytes() for image in images}) == 3


def test_each_image_of_a_job_is_the_one_its_own_seed_gives_alone(lane: PipelineLane, small: MakeRequest) -> None:
    together = lane.run(small(seed=7, n=3), go_on)

    alone = [lane.run(small(seed=seed), go_on)[0] for seed in (7, 8, 9)]
    differences = [np.abs(pixels(one) - pixels(other)).max() for one, other in zip(together, alone, strict=True)]
    # One level of 256 is where rounding may fall to the other side.
    assert max(differences) <= 1 / 255 + 1e-9


@pytest.mark.parametrize("size", [(128, 64), (64, 128)])
def test_width_and_height_are_what_was_asked_for(lane: PipelineLane, small: MakeRequest, size: tuple[int, int]) -> None:
    assert lane.run(small(width=size[0], height=size[1], steps=1), go_on)[0].size == size


def test_schedulers_draw_differently_and_leave_no_trace(
    lane: PipelineLane, card: ModelCard, small: MakeRequest
) -> None:
    before = lane.run(small(), go_on)[0]

    images = {name: lane.run(small(scheduler=name), go_on)[0] for name in card.schedulers}

    assert len({image.tobytes() for image in images.values()}) >= len(images) - 1
    assert images["dpmpp_2m"].tobytes() == before.tobytes()


def test_each_step_is_told_once_and_in_order(lane: PipelineLane, small: MakeRequest) -> None:
    told: list[tuple[int, int]] = []

    lane.run(small(steps=4), Telling(lambda step, steps: told.append((step, steps))))

    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_second_order_scheduler_never_tells_more_steps_than_there_are(lane: PipelineLane, small: MakeRequest) -> None:
    told: list[tuple[int, int]] = []

    lane.run(small(steps=4, scheduler="heun"), Telling(lambda step, steps: told.append((step, steps))))

    assert told[-1][0] == told[-1][1] == len(told)


def test_a_run_that_is_broken_off_takes_no_further_step_and_leaves_the_lane_as_it_was(
    lane: PipelineLane, small: MakeRequest
) -> None:
    before, steps_told = lane.run(small(), go_on)[0], []

    def cancel(step: int, _steps: int) -> None:
        steps_told.append(step)
        if step == 2:
            raise JobTaken("canceled")

    with pytest.raises(JobTaken):
        lane.run(small(prompt="a blue square", steps=6), Telling(cancel))

    assert steps_told == [1, 2]
    assert lane.run(small(), go_on)[0].tobytes() == before.tobytes()


def test_a_job_that_does_not_fit_into_memory_is_told_so(lane: PipelineLane, base: Any, small: MakeRequest) -> None:
    import torch

    with (
        network_that_raises(base.unet, torch.OutOfMemoryError("CUDA out of memory.")),
        pytest.raises(OutOfMemory, match="64x64 do not fit"),
    ):
        lane.run(small(n=2), go_on)


def test_one_that_can_never_fit_is_told_so_before_its_first_step(
    card: ModelCard, base: Any, engine: Engine, small: MakeRequest
) -> None:
    memory_budget, told = MemoryBudget(), list[tuple[int, int]]()
    memory_budget.set(1000)
    gate = Gate(memory_budget)
    gate.know(JobMemory(64 * 64, (MeasuredForward(2, Peak(row_bytes=300), 10, is_step=True, grows=True),)))
    lane = PipelineLane(card, base, engine, gate=gate)

    with pytest.raises(OutOfMemory, match="Ask for a smaller size or fewer images"):
        lane.run(small(n=4), Telling(lambda step, steps: told.append((step, steps))))

    assert told == []
    assert len(lane.run(small(n=1), go_on)) == 1


def test_nor_one_that_does_not_fit_into_the_memory_of_a_cpu(lane: PipelineLane, small: MakeRequest) -> None:
    import torch

    def allocate_a_petabyte(_step: int, _steps: int) -> None:
        torch.empty(2**50)

    with pytest.raises(OutOfMemory):
        lane.run(small(), Telling(allocate_a_petabyte))


def test_a_model_that_fails_becomes_the_job_s_error_without_its_prompt(
    lane: PipelineLane, base: Any, small: MakeRequest
) -> None:
    failure = ValueError("cannot take 'a lighthouse'")

    with network_that_raises(base.unet, failure), pytest.raises(GenerationFailed, match="ValueError") as caught:
        lane.run(small(prompt="a lighthouse"), go_on)

    assert "lighthouse" not in caught.value.message
    assert caught.value.__cause__ is failure


def test_a_prompt_that_is_too_long_is_not_printed(
    card: ModelCard,
    engine: Engine,
    small: MakeRequest,
    tmp_path: Path,
    one_thread: None,
    capfd: pytest.CaptureFixture[str],
) -> None:
    lanes = load_lanes(card, Device("cpu"), engine, Settings(data_dir=tmp_path, lanes=1))

    with lanes.open() as lane:
        assert lane
        lane.run(small(prompt="a lighthouse by the sea " * 40, steps=1), go_on)

    assert "lighthouse" not in "".join(capfd.readouterr())


def test_a_knee_is_measured_once_and_then_remembered(
    card: ModelCard, engine: Engine, tmp_path: Path, one_thread: None
) -> None:
    settings = Settings(data_dir=tmp_path, lanes=2)
    load_lanes(card, Device("cpu"), engine, settings)
    [kept] = (tmp_path / "knees").glob("minilab-*.json")
    first = kept.read_text()

    with structlog.testing.capture_logs() as logs:
        load_lanes(card, Device("cpu"), engine, settings)

    assert kept.read_text() == first
    assert {log["network"] for log in logs if log["event"] == "model.knee"} >= {"UNet2DConditionModel", "AutoencoderKL"}
