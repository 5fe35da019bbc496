"""How a request is said to a pipeline: each family has its own words for guidance and for what to keep out."""

from typing import Protocol

from darkroom.catalogue import ModelCard


class Wish(Protocol):
    """The part of a request that a pipeline draws from."""

    @property
    def prompt(self) -> str: ...
    @property
    def negative_prompt(self) -> str | None: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def guidance_scale(self) -> float: ...
    @property
    def n(self) -> int: ...


# Pipelines whose `guidance_scale` is not classifier-free guidance but a value fed to a distilled network,
# though the model people load has none.
TRUE_GUIDANCE = frozenset({"QwenImagePipeline"})


def call_arguments(card: ModelCard, request: Wish) -> dict[str, object]:
    """Keyword arguments for the card's pipeline. Generators, callback and output type are the caller's to add."""
    return {
        "prompt": request.prompt,
        "width": request.width,
        "height": request.height,
        "num_inference_steps": request.steps,
        "num_images_per_prompt": request.n,
        **_guidance(card, request),
    }


def _guidance(card: ModelCard, request: Wish) -> dict[str, object]:
    if card.pipeline in TRUE_GUIDANCE:
        return _true_guidance(card, request)
    negative = {"negative_prompt": request.negative_prompt} if card.negative_prompt else {}
    return {"guidance_scale": request.guidance_scale, **negative}


def _true_guidance(card: ModelCard, request: Wish) -> dict[str, object]:
    """These guide only if they are given a negative prompt, be it a blank."""
    if not card.negative_prompt or request.guidance_scale <= 1:
        return {"true_cfg_scale": 1.0}
    return {"true_cfg_scale": request.guidance_scale, "negative_prompt": request.negative_prompt or " "}
