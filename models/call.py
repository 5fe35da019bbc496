"""How a request is said to a pipeline: each family has its own words for guidance and for what to keep out."""

from typing import Protocol

from darkroom.catalogue import ModelCard
from darkroom.inputs import Task
from models.pictures import Pictures


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
    @property
    def task(self) -> Task: ...
    @property
    def strength(self) -> float | None: ...
    @property
    def control_scale(self) -> float | None: ...


# Pipelines whose `guidance_scale` is not classifier-free guidance but a value fed to a distilled network,
# though the model people load has none.
TRUE_GUIDANCE = frozenset({"QwenImagePipeline", "QwenImageEditPipeline", "QwenImageEditPlusPipeline"})
# Pipelines that redraw an image in the size that it has.
IMAGE_S_SIZE = frozenset({"StableDiffusionPipeline", "StableDiffusionXLPipeline"})
# Editors that take one image, and not a list of one.
ONE_IMAGE = frozenset({"QwenImageEditPipeline", "FluxKontextPipeline"})
# Pipelines for which the picture that a ControlNet goes by is `image`; for others, `control_image`.
CONTROL_BY_IMAGE = frozenset({"StableDiffusionPipeline", "StableDiffusionXLPipeline"})
NOTHING = Pictures()


def call_arguments(card: ModelCard, request: Wish, pictures: Pictures = NOTHING) -> dict[str, object]:
    """Keyword arguments for the pipeline of the card, or of its task where there are pictures.

    Generators, callback and output type are the caller's to add.
    """
    arguments: dict[str, object] = {
        "prompt": request.prompt,
        "width": request.width,
        "height": request.height,
        "num_inference_steps": request.steps,
        "num_images_per_prompt": request.n,
        **_guidance(card, request),
        **_kept_size(card, request),
    }
    match request.task:
        case Task.IMAGE_TO_IMAGE:
            arguments |= {"image": pictures.image[0], "strength": request.strength}
            if card.pipeline in IMAGE_S_SIZE:
                del arguments["width"], arguments["height"]
        case Task.INPAINTING:
            arguments |= {"image": pictures.image[0], "mask_image": pictures.mask, "strength": request.strength}
        case Task.EDIT:
            arguments["image"] = pictures.image[0] if card.pipeline in ONE_IMAGE else pictures.image
        case Task.CONTROLNET:
            name = "image" if card.pipeline in CONTROL_BY_IMAGE else "control_image"
            arguments |= {name: pictures.control_image, "controlnet_conditioning_scale": request.control_scale}
    return arguments


def _kept_size(card: ModelCard, request: Wish) -> dict[str, object]:
    """Kontext would choose a size of its own for the image, and draw a megapixel whatever it is asked for."""
    if card.pipeline != "FluxKontextPipeline":
        return {}
    return {"max_area": request.width * request.height, "_auto_resize": False}


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
