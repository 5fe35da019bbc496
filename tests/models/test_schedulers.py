from typing import Any, get_args

import numpy as np
import pytest

from darkroom.catalogue import Catalogue, SchedulerName
from models.call import call_arguments
from models.lane_pipeline import lane_pipeline
from models.schedulers import RECIPES, make_scheduler, own_scheduler
from tests.models.conftest import TinyPipeline
from tests.models.tiny import pipelines as tiny
from tests.models.tiny.pipelines import FAMILIES, Family
from tests.models.wish import Wish

FOR_NOISE = [name for name in RECIPES if not name.startswith("flow_")]


def test_there_is_a_recipe_for_every_name() -> None:
    assert set(RECIPES) == set(get_args(SchedulerName))


@pytest.mark.parametrize("name", FOR_NOISE)
def test_every_scheduler_for_noise_runs(name: SchedulerName, tiny_pipeline: TinyPipeline) -> None:
    assert np.isfinite(_image("sd", name, tiny_pipeline)).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_scheduler_that_the_catalogue_offers_a_family_runs(
    family: Family, catalogue: Catalogue, tiny_pipeline: TinyPipeline
) -> None:
    cards = [card for card in catalogue.values() if card.pipeline == tiny.PIPELINES[family]]
    names = {name for card in cards for name in card.schedulers}

    images = {name: _image(family, name, tiny_pipeline) for name in names}

    assert names
    assert all(np.isfinite(image).all() for image in images.values())


@pytest.mark.parametrize("name", FOR_NOISE)
def test_the_noise_schedule_stays_the_models_own(name: SchedulerName, minilab: Any) -> None:
    own = minilab.scheduler.config

    config = _config(name, own)

    assert config.prediction_type == "v_prediction"
    assert config.timestep_spacing == "trailing"
    assert (config.beta_start, config.beta_end, config.beta_schedule) == (0.00085, 0.012, "scaled_linear")
    assert config.get("rescale_betas_zero_snr", True), "a class that can have zero terminal SNR must keep it"


def test_the_shift_of_flow_matching_is_kept_under_unipcs_name_for_it(tiny_pipeline: TinyPipeline) -> None:
    own = tiny_pipeline("sd3").scheduler.config

    assert own.shift == 3.0
    assert _config("flow_euler", own).shift == 3.0
    assert _config("flow_unipc", own).flow_shift == 3.0


def test_a_scheduler_leaves_no_trace_in_the_next_one(minilab: Any) -> None:
    karras = _config("dpmpp_2m_karras", minilab.scheduler.config)

    plain = _config("dpmpp_2m", karras)

    assert karras.use_karras_sigmas
    assert not plain.use_karras_sigmas


def test_without_a_name_it_is_like_the_models_own_but_another_object(minilab: Any) -> None:
    scheduler: Any = own_scheduler(minilab, None)

    assert scheduler is not minilab.scheduler
    assert scheduler.config == minilab.scheduler.config


@pytest.mark.parametrize("name", [None, *FOR_NOISE])
def test_no_state_of_one_job_reaches_the_next(name: str | None, minilab: Any) -> None:
    used: Any = own_scheduler(minilab, name)
    used.set_timesteps(3)

    fresh: Any = own_scheduler(minilab, name)

    assert fresh.num_inference_steps != 3
    assert fresh.config is not used.config


def test_a_start_that_is_set_afterwards_holds(minilab: Any) -> None:
    scheduler: Any = own_scheduler(minilab, "dpmpp_2m")
    scheduler.set_timesteps(10)

    scheduler.set_begin_index(4)

    assert scheduler.begin_index == 4
    assert (scheduler.set_timesteps(10), scheduler.begin_index) == (None, 0)


def test_a_cards_default_is_the_scheduler_that_the_model_came_with(minilab: Any, catalogue: Catalogue) -> None:
    own = minilab.scheduler

    scheduler: Any = own_scheduler(minilab, catalogue["minilab"].scheduler)

    assert isinstance(scheduler, type(own))
    assert dict(scheduler.config) == dict(own.config)


def test_an_unknown_name_is_refused_with_the_known_ones(minilab: Any) -> None:
    with pytest.raises(ValueError, match="dpmpp_2m"):
        own_scheduler(minilab, "magic")


def _config(name: SchedulerName, own: Any) -> Any:
    scheduler: Any = make_scheduler(name, own)
    return scheduler.config


def _image(family: Family, name: SchedulerName, tiny_pipeline: TinyPipeline) -> Any:
    import torch

    lane: Any = lane_pipeline(tiny_pipeline(family), name)
    arguments = call_arguments(tiny.card(family), Wish(steps=3))
    return lane(**arguments, generator=[torch.Generator().manual_seed(0)], output_type="np").images
