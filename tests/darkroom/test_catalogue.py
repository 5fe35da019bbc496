import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from darkroom.catalogue import ModelCard, Range, StepReuse, StepReuseLevel, read_catalogue
from darkroom.errors import Misconfigured

ENTRY = """
[mine]
title = "Mine"
summary = "A model."
license = "Apache-2.0"
pipeline = "FluxPipeline"
path = "weights/mine"
dtype = "bfloat16"
size = { width = 1024, height = 1024, min = 256, max = 2048, multiple_of = 16, max_pixels = 2_097_152 }
steps = { default = 28, min = 1, max = 100 }
guidance_scale = { default = 3.5, min = 0, max = 20 }
scheduler = "flow_euler"
schedulers = ["flow_euler"]
negative_prompt = false
"""


def test_cards_come_in_the_files_order(tmp_path: Path) -> None:
    catalogue = read_catalogue(_file(tmp_path, ENTRY.replace("mine]", "zebra]") + ENTRY.replace("mine]", "ant]")))

    assert list(catalogue) == ["zebra", "ant"]
    assert catalogue["ant"].id == "ant"


def test_a_path_counts_from_the_catalogues_own_folder(tmp_path: Path) -> None:
    catalogue = read_catalogue(_file(tmp_path, ENTRY))

    assert catalogue["mine"].path == tmp_path / "weights" / "mine"


def test_an_absolute_path_stays_as_it_is(tmp_path: Path) -> None:
    catalogue = read_catalogue(_file(tmp_path, ENTRY.replace("weights/mine", "/srv/mine")))

    assert catalogue["mine"].path == Path("/srv/mine")


def test_steps_are_whole_numbers(tmp_path: Path) -> None:
    steps = read_catalogue(_file(tmp_path, ENTRY))["mine"].steps

    assert steps == Range[int](default=28, min=1, max=100)
    assert isinstance(steps.default, int)


def test_a_card_may_say_how_its_model_runs_on_cuda_and_which_sizes_are_warmed_up(tmp_path: Path) -> None:
    more = 'cuda = { compile = true, attention = "_flash_3" }\nwarm_sizes = [[832, 1216], [1216, 832]]\n'

    card = read_catalogue(_file(tmp_path, ENTRY + more))["mine"]

    assert (card.cuda.compile, card.cuda.attention, card.cuda.fuse_qkv) == (True, "_flash_3", False)
    assert card.warm_sizes == ((832, 1216), (1216, 832))


def test_a_size_that_the_model_does_not_draw_is_not_warmed_up(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="warm_sizes has 100x1024"):
        read_catalogue(_file(tmp_path, ENTRY + "warm_sizes = [[100, 1024]]\n"))


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("default = 28, min = 1", "default = 28.5, min = 1", "steps.default"),
        ("default = 28, min = 1", "default = 28, min = 0", "steps.min"),
        ("default = 28, min = 1", "default = 28, min = 30", "min <= default <= max"),
        ('pipeline = "FluxPipeline"', 'pipeline = "os.system"', "pipeline"),
        ('path = "weights/mine"', "", "either hub_id or path"),
        ('path = "weights/mine"', 'path = "a"\nhub_id = "b/c"', "either hub_id or path"),
        ('path = "weights/mine"', 'hub_id = "just-a-name"', "hub_id"),
        ('scheduler = "flow_euler"', 'scheduler = "flow_unipc"', "not among its schedulers"),
        ('schedulers = ["flow_euler"]', 'schedulers = ["magic"]', "schedulers.0"),
        ("width = 1024", "width = 1030", "no multiple of 16"),
        ("width = 1024", "width = 4096", "within its bounds"),
        ("max_pixels = 2_097_152", "max_pixels = 1000", "max_pixels"),
        ('title = "Mine"', 'titel = "Mine"', "titel: Extra inputs"),
        ("[mine]", "['My Model']", "My Model"),
        ("[mine]", "stray = 1\n[mine]", "stray value 'stray'"),
        ('title = "Mine"', "title = ", "cannot be read"),
    ],
)
def test_a_fault_is_told_with_file_and_entry(right: str, wrong: str, complaint: str, tmp_path: Path) -> None:
    file = _file(tmp_path, ENTRY.replace(right, wrong, 1))

    with pytest.raises(Misconfigured) as refusal:
        read_catalogue(file)

    assert str(file) in refusal.value.message
    assert complaint in refusal.value.message
    assert "\n" not in refusal.value.message


@pytest.mark.parametrize("content", [None, ""])
def test_a_catalogue_that_is_missing_or_empty_is_refused(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.toml"
    if content is not None:
        file.write_text(content)

    with pytest.raises(Misconfigured, match=r"catalogue\.toml"):
        read_catalogue(file)


@pytest.mark.parametrize(("most", "levels"), [("off", 1), ("low", 2), ("high", 4)])
def test_a_card_allows_step_reuse_up_to_its_level(most: StepReuseLevel, levels: int) -> None:
    assert StepReuse(max=most).levels == ("off", "low", "medium", "high")[:levels]


def test_no_card_gives_more_step_reuse_by_default_than_it_allows() -> None:
    with pytest.raises(ValidationError, match="the default high is above the most, low"):
        StepReuse(default="high", max="low")


def test_a_card_cannot_be_changed() -> None:
    card = ModelCard(id="mine", **_fields())

    with pytest.raises(ValidationError, match="frozen"):
        card.dtype = "float32"  # type: ignore[misc]


def _file(folder: Path, content: str) -> Path:
    file = folder / "catalogue.toml"
    file.write_text(content)
    return file


def _fields() -> dict[str, Any]:
    fields: dict[str, Any] = tomllib.loads(ENTRY)["mine"]
    return fields
