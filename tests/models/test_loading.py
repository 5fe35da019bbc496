import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darkroom.catalogue import Catalogue, ModelCard
from darkroom.errors import Misconfigured, WeightsMissing, WeightsRefused
from models.call import call_arguments
from models.loading import load_pipeline
from tests.models.conftest import TinyCard, TinyPipeline
from tests.models.tiny import pipelines as tiny
from tests.models.tiny.pipelines import FAMILIES, Family
from tests.models.wish import Wish


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_loads_and_makes_images(family: Family, tiny_pipeline: TinyPipeline, tiny_card: TinyCard) -> None:
    import torch

    pipeline = tiny_pipeline(family)
    seeds = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    images = pipeline(**call_arguments(tiny_card(family), Wish(n=2)), generator=seeds, output_type="np").images

    assert type(pipeline).__name__ == tiny.PIPELINES[family]
    assert images.shape == (2, tiny.SIDE, tiny.SIDE, 3)
    assert np.isfinite(images).all()
    assert not np.array_equal(images[0], images[1])


def test_weights_take_the_asked_number_format(tiny_card: TinyCard) -> None:
    import torch

    pipeline = load_pipeline(tiny_card("sd"), device="cpu", dtype=torch.bfloat16)

    assert {pipeline.unet.dtype, pipeline.vae.dtype, pipeline.text_encoder.dtype} == {torch.bfloat16}


@pytest.mark.cuda
@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_makes_images_on_a_gpu(family: Family, tiny_card: TinyCard) -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    pipeline: Any = load_pipeline(tiny_card(family), device="cuda:0", dtype=torch.bfloat16)

    seed = torch.Generator("cuda:0").manual_seed(1)
    images = pipeline(**call_arguments(tiny_card(family), Wish()), generator=[seed], output_type="np").images

    assert next(pipeline.vae.parameters()).is_cuda
    assert np.isfinite(images).all()


def test_loading_never_turns_to_the_network(tiny_card: TinyCard, catalogue: Catalogue, tmp_path: Path) -> None:
    with connections() as seen:
        _load(tiny_card("qwen_image"))
        _load(catalogue["minilab"])
        with pytest.raises(WeightsMissing):
            _load(catalogue["sdxl"], weights_dir=tmp_path)

    assert seen == []


def test_the_weights_folder_is_looked_into(tiny_card: TinyCard, tmp_path: Path) -> None:
    shutil.copytree(str(tiny_card("sd").path), tmp_path / "mine")

    pipeline = _load(_hub_card(id="mine"), weights_dir=tmp_path)

    assert type(pipeline).__name__ == "StableDiffusionPipeline"


def test_a_folder_without_the_cards_variant_loads_all_the_same(tiny_card: TinyCard, tmp_path: Path) -> None:
    shutil.copytree(str(tiny_card("sd").path), tmp_path / "mine")

    pipeline = _load(_hub_card(id="mine", variant="fp16"), weights_dir=tmp_path)

    assert type(pipeline).__name__ == "StableDiffusionPipeline"


def test_a_variant_is_loaded_where_there_is_one(tiny_pipeline: TinyPipeline, tmp_path: Path) -> None:
    tiny_pipeline("sd").save_pretrained(tmp_path / "mine", variant="fp16")

    pipeline = _load(_hub_card(id="mine", variant="fp16"), weights_dir=tmp_path)

    assert (tmp_path / "mine" / "unet" / "diffusion_pytorch_model.fp16.safetensors").exists()
    assert type(pipeline).__name__ == "StableDiffusionPipeline"


@pytest.mark.parametrize("file", ["unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"])
def test_a_damaged_file_of_weights_is_to_be_fetched_again(file: str, tiny_card: TinyCard, tmp_path: Path) -> None:
    shutil.copytree(str(tiny_card("sd").path), tmp_path / "mine")
    weights = tmp_path / "mine" / file
    weights.write_bytes(weights.read_bytes()[:1000])

    with pytest.raises(WeightsMissing, match=r"damaged.*hf download someone/something"):
        _load(_hub_card(id="mine"), weights_dir=tmp_path)


def test_a_missing_file_of_weights_is_named(tiny_card: TinyCard, tmp_path: Path) -> None:
    shutil.copytree(str(tiny_card("sd").path), tmp_path / "mine")
    (tmp_path / "mine" / "vae" / "diffusion_pytorch_model.safetensors").unlink()

    with pytest.raises(WeightsMissing, match=r"incomplete or damaged.*hf download someone/something"):
        _load(_hub_card(id="mine"), weights_dir=tmp_path)


def test_a_folder_without_a_part_that_the_pipeline_needs_is_refused(tiny_card: TinyCard, tmp_path: Path) -> None:
    shutil.copytree(str(tiny_card("sd").path), tmp_path / "mine")
    index = tmp_path / "mine" / "model_index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "vae": [None, None]}))

    with pytest.raises(WeightsRefused, match="does not fit together as a StableDiffusionPipeline"):
        _load(_hub_card(id="mine"), weights_dir=tmp_path)


def test_a_pipeline_that_diffusers_lacks_is_a_matter_of_configuration(tiny_card: TinyCard, tmp_path: Path) -> None:
    shutil.copytree(str(tiny_card("sd").path), tmp_path / "mine")
    index = tmp_path / "mine" / "model_index.json"
    index.write_text(index.read_text().replace("StableDiffusionPipeline", "TomorrowsPipeline"))

    with pytest.raises(Misconfigured, match=r"\[mine\] names TomorrowsPipeline, which diffusers .* lacks"):
        _load(_hub_card(id="mine", pipeline="TomorrowsPipeline"), weights_dir=tmp_path)


@contextmanager
def connections() -> Iterator[list[str]]:
    """Names of hosts looked up and addresses connected to meanwhile. Python cannot remove an audit hook again."""
    seen: list[str] = []
    watching = True

    def note(event: str, details: tuple[Any, ...]) -> None:
        if watching and event in {"socket.connect", "socket.getaddrinfo"}:
            seen.append(f"{event} {details}")

    sys.addaudithook(note)
    yield seen
    watching = False


def _hub_card(**fields: Any) -> ModelCard:
    return tiny.card("sd", hub_id="someone/something", **fields)


def _load(card: ModelCard, weights_dir: Path | None = None) -> Any:
    import torch

    return load_pipeline(card, device="cpu", dtype=torch.float32, weights_dir=weights_dir)
