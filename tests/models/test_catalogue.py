"""The bundled catalogue agrees with the diffusers that is installed."""

import pytest

from darkroom.catalogue import Catalogue
from tests.models.tiny import pipelines as tiny


def test_diffusers_has_every_pipeline(catalogue: Catalogue) -> None:
    import diffusers

    assert [card.pipeline for card in catalogue.values() if not hasattr(diffusers, card.pipeline)] == []


def test_every_pipeline_has_a_tiny_one_that_tests_it(catalogue: Catalogue) -> None:
    of_flux = {"FluxKontextPipeline"}  # over the tiny FLUX, in tests/gpu_worker/jobs/test_edits.py

    assert {card.pipeline for card in catalogue.values()} == set(tiny.PIPELINES.values()) | of_flux


def test_flow_matching_models_are_offered_flow_matching_schedulers_only(catalogue: Catalogue) -> None:
    for card in catalogue.values():
        has_unet = card.pipeline in {"StableDiffusionPipeline", "StableDiffusionXLPipeline"}
        assert {name.startswith("flow_") for name in card.schedulers} == {not has_unet}, card.id


def test_the_bundled_model_comes_first_and_is_there(catalogue: Catalogue) -> None:
    first = next(iter(catalogue.values()))

    assert first.id == "minilab"
    assert first.path is not None
    assert (first.path / "model_index.json").is_file()


@pytest.mark.parametrize("side", [1024, 1536])
def test_the_real_models_take_the_sizes_that_clients_ask_for(side: int, catalogue: Catalogue) -> None:
    for card in catalogue.values():
        if card.id not in {"minilab", "sd3.5-medium"}:
            assert card.size.min <= side <= card.size.max, card.id
            assert side % card.size.multiple_of == 0, card.id
