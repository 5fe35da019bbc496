from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from darkroom.catalogue import Catalogue
from models.call import call_arguments
from models.lane_pipeline import choose_scheduler, lane_pipeline
from tests.models.conftest import TinyPipeline
from tests.models.tiny.pipelines import FAMILIES, Family
from tests.models.wish import Wish


@pytest.mark.parametrize("family", FAMILIES)
def test_lanes_share_every_weight(family: Family, tiny_pipeline: TinyPipeline) -> None:
    base = tiny_pipeline(family)

    lane = lane_pipeline(base)

    assert _addresses(lane) == _addresses(base)


@pytest.mark.parametrize("family", FAMILIES)
def test_lanes_share_neither_scheduler_nor_tokenizer(family: Family, tiny_pipeline: TinyPipeline) -> None:
    base = tiny_pipeline(family)

    one, other = lane_pipeline(base), lane_pipeline(base)

    stateful = [name for name in base.components if "scheduler" in name or "tokenizer" in name]
    assert len(stateful) >= 2
    for name in stateful:
        assert len({id(getattr(pipeline, name)) for pipeline in (base, one, other)}) == 3


def test_the_base_keeps_its_own_scheduler(minilab: Any) -> None:
    before = minilab.scheduler

    lane_pipeline(minilab, "euler")

    assert minilab.scheduler is before
    assert minilab.config.scheduler == ("diffusers", "DPMSolverMultistepScheduler")


def test_a_jobs_scheduler_comes_from_the_models_configuration_not_from_the_last_jobs(minilab: Any) -> None:
    lane = lane_pipeline(minilab, "dpmpp_2m_karras")

    choose_scheduler(lane, minilab, None)

    assert lane.scheduler.config == minilab.scheduler.config


def test_lanes_at_work_at_once_draw_what_they_draw_alone(minilab: Any, catalogue: Catalogue) -> None:
    wishes = [
        Wish("a red circle on a white background", width=128, height=128, steps=4),
        Wish("a boat on the sea at sunset", negative_prompt="clouds", width=128, height=128, steps=7),
    ]

    def draw(wish: Wish) -> Any:
        import torch

        torch.set_num_threads(1)  # counts for the thread that says it
        lane: Any = lane_pipeline(minilab)
        arguments = call_arguments(catalogue["minilab"], wish)
        return lane(**arguments, generator=[torch.Generator().manual_seed(1)], output_type="np").images

    with ThreadPoolExecutor(max_workers=1) as one_by_one:
        alone = list(one_by_one.map(draw, wishes))
    with ThreadPoolExecutor(max_workers=4) as at_once:
        together = list(at_once.map(draw, wishes * 4))

    for number, image in enumerate(together):
        np.testing.assert_allclose(image, alone[number % 2], atol=1e-4)


def test_one_lanes_padding_never_reaches_anothers_prompt(minilab: Any) -> None:
    lanes: list[Any] = [lane_pipeline(minilab) for _ in range(4)]
    as_pipelines_do = ("max_length", "longest")

    def lengths(lane: Any) -> set[tuple[str, int]]:
        return {
            (padding, len(lane.tokenizer("a red circle", padding=padding, truncation=True).input_ids))
            for _ in range(200)
            for padding in as_pipelines_do
        }

    with ThreadPoolExecutor(max_workers=4) as at_once:
        seen = set().union(*at_once.map(lengths, lanes))

    assert seen == {("max_length", 32), ("longest", 5)}


def _addresses(pipeline: Any) -> dict[str, int]:
    networks = {name: part for name, part in pipeline.components.items() if hasattr(part, "named_parameters")}
    return {
        f"{name}.{key}": weight.data_ptr() for name, part in networks.items() for key, weight in part.named_parameters()
    }
