"""Guidance, negative prompts, img2img, inpainting, strange prompts: through the stock pipelines, each with a score."""

import random
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline
from PIL import Image, ImageDraw

from models.minilab.marks import mark, share
from models.minilab.recipe.pictures import Pair, Picture, Relation, Single, Thing
from models.minilab.recipe.render import render
from models.minilab.recognise import Pixels, recognise

STEPS = 6
SHAPES = ("circle", "square", "triangle", "heart", "ring", "diamond", "cross", "star")


def test_guidance_makes_it_follow_the_prompt_more_closely(minilab: Any) -> None:
    pictures = [Single(Thing(shape, "blue"), "yellow") for shape in SHAPES]
    prompts = [f"a blue {shape} on a yellow background" for shape in SHAPES]

    guided, unguided = (right(draw(minilab, prompts, guidance_scale=scale), pictures) for scale in (2.0, 1.0))

    assert guided >= 0.85
    assert guided >= unguided


def test_a_negative_prompt_keeps_its_colour_away(minilab: Any) -> None:
    prompts = [f"a {shape} on a white background" for shape in SHAPES for _ in range(2)]
    usual = colours(draw(minilab, prompts))
    unwanted = max(set(usual), key=usual.count)

    without = colours(draw(minilab, prompts, negative_prompt=[unwanted] * len(prompts)))

    assert usual.count(unwanted) >= 3
    assert without.count(unwanted) == 0


def test_img2img_keeps_the_outline_and_takes_the_new_colour(minilab: Any) -> None:
    pipeline = over(StableDiffusionImg2ImgPipeline, minilab)
    asked: list[Picture] = [Single(Thing(shape, "blue"), "white") for shape in SHAPES]
    images = [render(Single(Thing(shape, "red"), "white"), random.Random(7)) for shape in SHAPES]

    drawn = draw(pipeline, [f"a blue {shape} on a white background" for shape in SHAPES], image=images, strength=0.8)

    assert right(drawn, asked) >= 0.85


def test_inpainting_changes_what_is_masked_and_nothing_else(minilab: Any) -> None:
    pipeline = over(StableDiffusionInpaintPipeline, minilab)
    before = [Pair(Thing("circle", "red"), Thing(shape, "blue"), Relation.LEFT_OF, "white") for shape in SHAPES]
    asked: list[Picture] = [Pair(p.first, Thing(p.second.shape, "green"), p.relation, "white") for p in before]
    images = [render(picture, random.Random(7)) for picture in before]
    prompts = [f"a red circle to the left of a green {shape} on a white background" for shape in SHAPES]

    drawn = draw(pipeline, prompts, image=images, mask_image=[right_half()] * len(images), strength=1.0)

    assert right(drawn, asked) >= 0.75
    for image, original in zip(drawn, images, strict=True):
        assert np.abs(image[:, :56].astype(float) - np.asarray(original)[:, :56]).mean() < 8


@pytest.mark.parametrize(
    "prompt", ["my grandmother's bicycle in Paris, 1953", "日本の猫 🐈", "", "%$#@! \n\t;--", "x" * 500]
)
def test_any_prompt_gives_a_clean_image(prompt: str, minilab: Any) -> None:
    """Flat areas with edges between them, as renderings have; noise is flat nowhere."""
    image = draw(minilab, [prompt])[0].astype(float)

    steps = np.maximum(np.abs(np.diff(image, axis=0))[:, :-1], np.abs(np.diff(image, axis=1))[:-1]).max(axis=-1)
    assert (steps < 8).mean() > 0.75


def draw(pipeline: Any, prompts: list[str], **arguments: Any) -> list[Pixels]:
    generators = [torch.Generator().manual_seed(seed) for seed in range(len(prompts))]
    wanted = {"guidance_scale": 2.0, "num_inference_steps": STEPS, "generator": generators} | arguments
    return [np.asarray(image) for image in pipeline(prompts, **wanted).images]


def over(stock: Any, pipeline: Any) -> Any:
    other = stock.from_pipe(pipeline)
    other.set_progress_bar_config(disable=True)
    return other


def right(images: list[Pixels], asked: list[Any]) -> float:
    return share((mark(image, picture) for image, picture in zip(images, asked, strict=True)), lambda marks: marks.all)


def colours(images: list[Pixels]) -> list[str]:
    return [piece.colour for image in images for piece in recognise(image).seen[:1] if piece.colour]


def right_half() -> Image.Image:
    mask = Image.new("L", (128, 128))
    ImageDraw.Draw(mask).rectangle((64, 0, 128, 128), fill=255)
    return mask
