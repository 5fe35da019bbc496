"""What `POST /generate` takes, for the OpenAPI document: the bounds of each model, as its card has them.

They cannot stand at the fields of GenerateBody, for they differ between models and an operator may write a catalogue.
"""

from collections.abc import Iterator
from typing import Any

from darkroom.catalogue import Catalogue, ModelCard, Size
from darkroom.request import DEADLINE_S, PREVIEW_EVERY_LIMIT, SEED_LIMIT, UPSCALE_FACTORS
from darkroom.settings import Settings

# Something that is no space: what Python strips and regular expressions of other languages do not count as one, too.
NOT_EMPTY = r"[^\s\u001c-\u001f\u0085\u00a0\ufeff]"


def bound(schemas: dict[str, Any], catalogue: Catalogue, settings: Settings) -> None:
    """Adds to the document's GenerateBody what its fields alone do not say."""
    body = schemas["GenerateBody"]
    for name, limits in _of_every_model(settings).items():
        _limit(body["properties"][name], limits)
    body["anyOf"] = [_variant(card, is_default=card.id == settings.default_model) for card in catalogue.values()]
    for card, variant in zip(catalogue.values(), body["anyOf"], strict=True):
        if corners := _too_large(card.size):
            # Long, and of no interest to people: a schema of its own is folded away.
            schemas[f"TooLarge.{card.id}"] = {"title": f"Sizes too large for {card.title}", "anyOf": corners}
            variant["not"] = {"$ref": f"#/components/schemas/TooLarge.{card.id}"}


def _of_every_model(settings: Settings) -> dict[str, dict[str, Any]]:
    return {
        "prompt": {"maxLength": settings.max_prompt_chars, "pattern": NOT_EMPTY},
        "negative_prompt": {"maxLength": settings.max_prompt_chars},
        "n": {"minimum": 1, "maximum": settings.max_images_per_job},
        "seed": {"minimum": 0, "maximum": SEED_LIMIT - 1},
        "upscale": {"enum": list(UPSCALE_FACTORS)},
        "deadline_s": {"minimum": DEADLINE_S[0], "maximum": DEADLINE_S[1]},
        "preview_every": {"minimum": 0, "maximum": PREVIEW_EVERY_LIMIT},
    }


def _limit(field: dict[str, Any], limits: dict[str, Any]) -> None:
    """Of a field that may be null, the other form is limited."""
    forms = [form for form in field.get("anyOf", [field]) if form.get("type") != "null"]
    forms[0].update(limits)


def _variant(card: ModelCard, *, is_default: bool) -> dict[str, Any]:
    guidance, steps = card.guidance_scale, card.steps
    variant: dict[str, Any] = {
        "title": card.title,
        "properties": {
            "model": {"enum": [card.id, None]} if is_default else {"const": card.id},
            "steps": _or_null({"type": "integer", "minimum": steps.min, "maximum": steps.max}),
            "guidance_scale": _or_null({"type": "number", "minimum": guidance.min, "maximum": guidance.max}),
            "scheduler": {"enum": [*card.schedulers, None]},
            "step_reuse": {"enum": [*card.step_reuse.levels, None]},
            "width": _or_null(_side(card.size)),
            "height": _or_null(_side(card.size)),
        },
    }
    if not is_default:
        variant["required"] = ["model"]
    if not card.negative_prompt:
        variant["properties"]["negative_prompt"] = {"enum": ["", None]}
    return variant


def _side(size: Size) -> dict[str, Any]:
    return {"type": "integer", "minimum": size.min, "maximum": size.max, "multipleOf": size.multiple_of}


def _too_large(size: Size) -> list[dict[str, Any]]:
    """Of more pixels in all than the model draws. JSON Schema cannot multiply, so each corner of that area is named."""
    corners = [
        {**_from(width=width, height=height), "required": ["width", "height"]} for width, height in corners_of(size)
    ]
    # A side that is left out is the model's own.
    wide, tall = size.max_pixels // size.height + 1, size.max_pixels // size.width + 1
    if wide <= size.max:
        corners.append({"properties": {"height": {"type": "null"}, **_least("width", wide)}, "required": ["width"]})
    if tall <= size.max:
        corners.append({"properties": {"width": {"type": "null"}, **_least("height", tall)}, "required": ["height"]})
    return corners


def corners_of(size: Size) -> Iterator[tuple[int, int]]:
    """Least widths and heights that are too large together: what is as wide and as high, or more so, is too large."""
    grid, before = size.multiple_of, size.max + 1
    for width in range(-(-size.min // grid) * grid, size.max + 1, grid):
        height = (size.max_pixels // width // grid + 1) * grid
        if height <= size.max and height < before:
            before = height
            yield width, height


def _from(*, width: int, height: int) -> dict[str, Any]:
    return {"properties": {**_least("width", width), **_least("height", height)}}


def _least(side: str, pixels: int) -> dict[str, Any]:
    return {side: {"type": "integer", "minimum": pixels}}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}
