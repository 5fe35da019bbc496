"""Each task that a card of the catalogue names has a pipeline that takes what it is given."""

import inspect

import pytest
import torch

from darkroom.catalogue import ModelCard, read_catalogue
from darkroom.errors import Misconfigured
from darkroom.inputs import Task
from darkroom.settings import BUNDLED_CATALOGUE
from models.call import call_arguments
from models.pictures import Pictures
from models.tasks import pipeline_of, task_pipeline
from tests.models.conftest import TinyCard, TinyPipeline
from tests.models.tiny import pipelines as tiny
from tests.models.tiny.pipelines import Family
from tests.models.wish import Wish

CARDS = read_catalogue(BUNDLED_CATALOGUE).values()
TASKS = [(card, task) for card in CARDS for task in card.tasks]


@pytest.mark.parametrize(("card", "task"), TASKS, ids=[f"{card.id} {task}" for card, task in TASKS])
def test_a_task_of_the_catalogue_has_a_pipeline_that_takes_its_arguments(card: ModelCard, task: Task) -> None:
    import diffusers

    strength = 0.5 if task in {Task.IMAGE_TO_IMAGE, Task.INPAINTING} else None
    arguments = call_arguments(card, Wish(task=task, strength=strength), Pictures([None]))  # type: ignore[list-item]

    known = inspect.signature(getattr(diffusers, pipeline_of(card, task)).__call__).parameters
    assert set(arguments) <= set(known)
    assert ("image" in arguments) == (task is not Task.TEXT_TO_IMAGE)


@pytest.mark.parametrize("family", ["sd", "sdxl", "sd3", "flux"])
def test_a_task_s_pipeline_has_the_very_networks_of_its_base(
    family: Family, tiny_card: TinyCard, tiny_pipeline: TinyPipeline
) -> None:
    base = tiny_pipeline(family)

    redrawing = task_pipeline(tiny_card(family), base, Task.IMAGE_TO_IMAGE)

    assert type(redrawing).__name__ == tiny.PIPELINES[family].replace("Pipeline", "Img2ImgPipeline")
    networks = {name: part for name, part in base.components.items() if isinstance(part, torch.nn.Module)}
    assert networks
    assert all(redrawing.components[name] is part for name, part in networks.items())


def test_text_to_image_is_the_base_itself(tiny_card: TinyCard, tiny_pipeline: TinyPipeline) -> None:
    assert task_pipeline(tiny_card("sd"), tiny_pipeline("sd"), Task.TEXT_TO_IMAGE) is tiny_pipeline("sd")


def test_a_task_that_diffusers_does_not_know_is_told(tiny_card: TinyCard, tiny_pipeline: TinyPipeline) -> None:
    with pytest.raises(Misconfigured, match="Flux2InpaintPipeline"):
        task_pipeline(tiny_card("flux2"), tiny_pipeline("flux2"), Task.INPAINTING)
