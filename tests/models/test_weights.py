import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from darkroom.catalogue import Catalogue, ModelCard
from darkroom.errors import WeightsMissing, WeightsRefused
from models.weights import download_command, find_weights
from tests.models.tiny import pipelines as tiny

REPOSITORY = "someone/something"


def test_a_cards_own_folder_is_taken(tmp_path: Path) -> None:
    folder = _pipeline_folder(tmp_path / "mine")

    assert find_weights(tiny.card("sd", path=folder), None) == folder


def test_the_weights_folder_comes_before_the_hub_cache(tmp_path: Path) -> None:
    folder = _pipeline_folder(tmp_path / "sd")

    assert find_weights(_hub_card(), tmp_path) == folder


@pytest.mark.parametrize("revision", [None, "main", "0123456789abcdef0123456789abcdef01234567"])
def test_a_snapshot_in_the_hub_cache_is_found(revision: str | None, tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    cached = tmp_path / "hub" / "models--someone--something"
    snapshot = _pipeline_folder(cached / "snapshots" / commit)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(commit)

    assert _found_in_cache(_hub_card(revision=revision), tmp_path) == str(snapshot)


def test_nothing_anywhere_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"No weights of sd on this machine\. Run: hf download someone/something"):
        find_weights(_hub_card(), tmp_path)


def test_a_gated_model_says_that_its_licence_comes_first(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsMissing, match=r"Accept the licence at https://huggingface.co/someone/something .*hf auth"
    ):
        find_weights(_hub_card(gated=True), tmp_path)


def test_a_missing_local_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=f"expects them in {tmp_path / 'gone'}"):
        find_weights(tiny.card("sd", path=tmp_path / "gone"), None)


def test_a_folder_that_is_no_pipelines_is_named(empty_folder: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"no model_index\.json"):
        find_weights(tiny.card("sd", path=empty_folder), None)


def test_a_download_cut_short_is_noticed(tmp_path: Path) -> None:
    folder = _pipeline_folder(tmp_path / "mine")
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    (folder / "unet").rmdir()

    with pytest.raises(WeightsMissing, match="unet is missing"):
        find_weights(tiny.card("sd", path=folder), None)


def test_pickles_are_refused(tmp_path: Path) -> None:
    folder = _pipeline_folder(tmp_path / "mine", weights="diffusion_pytorch_model.bin")

    with pytest.raises(WeightsRefused, match=r"pickles only \(\.bin\)"):
        find_weights(tiny.card("sd", path=folder), None)


def test_pickles_beside_safetensors_do_no_harm(tmp_path: Path) -> None:
    folder = _pipeline_folder(tmp_path / "mine")
    (folder / "unet" / "diffusion_pytorch_model.bin").touch()

    assert find_weights(tiny.card("sd", path=folder), None) == folder


def test_a_component_with_code_of_its_own_is_refused(tmp_path: Path) -> None:
    folder = _pipeline_folder(tmp_path / "mine", library="my_unet")
    (folder / "unet" / "my_unet.py").touch()

    with pytest.raises(WeightsRefused, match="code of its own"):
        find_weights(tiny.card("sd", path=folder), None)


@pytest.mark.parametrize("class_name", ["FluxPipeline", ["my_pipeline", "MyPipeline"], None])
def test_another_class_than_the_catalogue_says_is_refused(class_name: object, tmp_path: Path) -> None:
    folder = _pipeline_folder(tmp_path / "mine", class_name=class_name)

    with pytest.raises(WeightsRefused, match="says StableDiffusionPipeline"):
        find_weights(tiny.card("sd", path=folder), None)


@pytest.mark.parametrize("text", ["not json", '"a string"', "[]"])
def test_a_broken_index_is_refused(text: str, tmp_path: Path) -> None:
    folder = _pipeline_folder(tmp_path / "mine")
    (folder / "model_index.json").write_text(text)

    with pytest.raises(WeightsRefused):
        find_weights(tiny.card("sd", path=folder), None)


def test_the_download_command_fetches_what_the_pipeline_reads_and_no_more(catalogue: Catalogue) -> None:
    from huggingface_hub.utils._paths import filter_repo_objects

    offered = [
        "model_index.json",
        "scheduler/scheduler_config.json",
        "tokenizer/merges.txt",
        "unet/diffusion_pytorch_model.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "text_encoder/pytorch_model.bin",
        "vae_1_0/diffusion_pytorch_model.fp16.safetensors",
        "sd_xl_base_1.0.safetensors",
    ]
    words = download_command(catalogue["sdxl"], None).replace("'", "").split()
    patterns = {
        kind: [words[i + 1] for i, word in enumerate(words) if word == kind] for kind in ("--include", "--exclude")
    }

    fetched = filter_repo_objects(offered, allow_patterns=patterns["--include"], ignore_patterns=patterns["--exclude"])

    assert list(fetched) == [*offered[:3], "unet/diffusion_pytorch_model.fp16.safetensors"]


def test_the_download_command_says_revision_and_folder(tmp_path: Path) -> None:
    command = download_command(_hub_card(revision="v1"), tmp_path)

    assert command.startswith("hf download someone/something --revision v1 ")
    assert command.endswith(f"--local-dir {tmp_path / 'sd'}")


def test_importing_models_brings_in_nothing_heavy() -> None:
    code = (
        "import sys\nfrom models import call, device, lane_pipeline, loading, schedulers, weights\n"
        "print(sorted({'torch', 'diffusers', 'transformers'} & set(sys.modules)))"
    )

    assert _python(code, {}) == "[]"


def _hub_card(**fields: Any) -> ModelCard:
    return tiny.card("sd", hub_id=REPOSITORY, **fields)


def _pipeline_folder(
    folder: Path,
    class_name: object = "StableDiffusionPipeline",
    library: str = "diffusers",
    weights: str = "diffusion_pytorch_model.safetensors",
) -> Path:
    """The outline of one: right names, empty files."""
    (folder / "unet").mkdir(parents=True)
    (folder / "unet" / weights).touch()
    index = {"_class_name": class_name, "unet": [library, "UNet2DConditionModel"], "safety_checker": [None, None]}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def _found_in_cache(card: ModelCard, hf_home: Path) -> str:
    """In a process of its own: the hub library reads where its cache is once, when it is imported."""
    code = (
        "from darkroom.catalogue import ModelCard\nfrom models.weights import find_weights\n"
        f"print(find_weights(ModelCard.model_validate_json({card.model_dump_json()!r}), None))"
    )
    return _python(code, {"HF_HOME": str(hf_home)})


def _python(code: str, environment: dict[str, str]) -> str:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    run = subprocess.run(
        [sys.executable, "-c", code], env={**kept, **environment}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()
