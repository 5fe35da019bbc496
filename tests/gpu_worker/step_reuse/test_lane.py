"""Step reuse as requests ask for it, over the bundled model's real weights."""

from typing import Any

import numpy as np
import pytest
import structlog
import torch

from darkroom.catalogue import ModelCard, StepReuseLevel, read_catalogue
from darkroom.settings import BUNDLED_CATALOGUE
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Knees
from gpu_worker.jobs.pipeline_lane import PipelineLane
from gpu_worker.profiling.loading import Nobody
from models.loading import load_pipeline
from tests.conftest import MakeRequest


@pytest.fixture(scope="module")
def lane(one_thread: None) -> Any:
    card: ModelCard = read_catalogue(BUNDLED_CATALOGUE)["minilab"]
    engine = Engine(Knees(8), "cpu")
    engine.start()
    yield PipelineLane(card, load_pipeline(card, device="cpu", dtype=torch.float32), engine)
    engine.stop()


def drawn(lane: PipelineLane, request_of: MakeRequest, level: StepReuseLevel, **wish: Any) -> tuple[Any, int]:
    """The image, and how many steps it reused."""
    prompt = "a boat on the sea at sunset"
    request = request_of(prompt=prompt, width=128, height=128, step_reuse=level, **wish)
    with structlog.testing.capture_logs() as logs:
        [image] = lane.run(request, Nobody())
    reused = [entry["steps"] for entry in logs if entry["event"] == "job.steps_reused"]
    return np.asarray(image, dtype=np.float64) / 255, sum(reused)


@pytest.mark.parametrize(("scheduler", "steps"), [("dpmpp_2m", 20), ("heun", 12), ("euler_ancestral", 24)])
def test_reuse_saves_steps_and_hardly_changes_the_image(
    scheduler: str, steps: int, lane: PipelineLane, request_of: MakeRequest
) -> None:
    full, none = drawn(lane, request_of, "off", scheduler=scheduler, steps=steps)
    image, reused = drawn(lane, request_of, "high", scheduler=scheduler, steps=steps)

    assert none == 0
    assert reused >= steps / 6
    assert np.abs(image - full).mean() < 0.01


def test_the_same_request_reuses_the_same_steps_again(lane: PipelineLane, request_of: MakeRequest) -> None:
    once, again = (drawn(lane, request_of, "medium", steps=12) for _ in range(2))

    assert once[1] == again[1] > 0
    assert np.array_equal(once[0], again[0])


def test_a_run_of_few_steps_is_computed_whole(lane: PipelineLane, request_of: MakeRequest) -> None:
    full, _ = drawn(lane, request_of, "off", steps=4)
    image, reused = drawn(lane, request_of, "high", steps=4)

    assert reused == 0
    assert np.array_equal(image, full)
