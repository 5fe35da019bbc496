"""Completes a request, once, at the door.

A body may leave out all but the prompt: the model's own defaults fill the gaps, a seed is drawn, and every fault is
found at the same time.
"""

from collections.abc import Callable, Iterator

from darkroom.catalogue import Catalogue, ModelCard
from darkroom.errors import Fault, InvalidRequest
from darkroom.inputs import ALPHA, Brought, Input, Task
from darkroom.request import (
    DEADLINE_S,
    PREVIEW_EVERY_LIMIT,
    SEED_LIMIT,
    UPSCALE_FACTORS,
    GenerateBody,
    ImageRequest,
    OutputFormat,
)
from darkroom.settings import Settings
from darkroom.upscaling import MOST_PIXELS, is_too_large

# Every code that a fault found here can have.
FAULT_CODES = (
    "prompt_empty", "prompt_too_long", "size_out_of_range", "size_off_grid", "image_too_large", "steps_out_of_range",
    "guidance_scale_out_of_range", "n_out_of_range", "seed_out_of_range", "preview_every_out_of_range", "unknown_model",
    "unknown_scheduler", "negative_prompt_unsupported", "step_reuse_unsupported", "task_unsupported",
    "mask_without_image", "mask_without_alpha", "input_sizes_differ", "too_many_images", "strength_out_of_range",
    "strength_without_image", "unknown_controlnet", "control_incomplete", "control_scale_out_of_range",
    "inputs_conflict", "output_quality_out_of_range", "output_quality_unsupported", "deadline_s_out_of_range",
    "upscale_out_of_range", "upscaled_too_large", "input_too_small", "input_too_narrow",
)  # fmt: skip


NOTHING = Brought()
UNSUPPORTED = "task_unsupported"
DEFAULT_STRENGTH = {Task.IMAGE_TO_IMAGE: 0.6, Task.INPAINTING: 1.0}


def complete(
    body: GenerateBody,
    catalogue: Catalogue,
    settings: Settings,
    draw_seed: Callable[[], int],
    brought: Brought = NOTHING,
) -> ImageRequest:
    """`brought`: the pictures that the body names. Raises InvalidRequest with every fault of the body."""
    model = body.model if body.model is not None else settings.default_model
    card = catalogue.get(model)
    if card is None:
        raise InvalidRequest([*_prompt_faults(body, settings), _unknown_model(model, catalogue)])
    task = _task(body, card)
    width, height = _drawn_size(body, card, brought)
    request = ImageRequest(
        model=model,
        prompt=body.prompt,
        negative_prompt=body.negative_prompt,
        width=width,
        height=height,
        steps=card.steps.default if body.steps is None else body.steps,
        guidance_scale=card.guidance_scale.default if body.guidance_scale is None else body.guidance_scale,
        seed=body.seed if body.seed is not None else draw_seed(),
        n=body.n,
        scheduler=body.scheduler if body.scheduler is not None else card.scheduler,
        output_format=body.output_format,
        output_quality=body.output_quality,
        priority=body.priority,
        preview_every=body.preview_every,
        step_reuse=card.step_reuse.default if body.step_reuse is None else body.step_reuse,
        deadline_s=body.deadline_s,
        task=task,
        image=tuple(each.id for each in brought.image),
        mask=ALPHA if body.mask == ALPHA else _id(brought.mask),
        strength=DEFAULT_STRENGTH.get(task) if body.strength is None else body.strength,
        controlnet=body.controlnet,
        control_image=_id(brought.control_image),
        control_scale=_control_scale(body, task),
        fit=body.fit,
        upscale=body.upscale,
    )
    faults = [
        *_prompt_faults(body, settings),
        *_size_faults(request, card),
        *_value_faults(request, card, settings),
        *_input_faults(body, task, card),
        *(_edit_faults(brought, card) if task is Task.EDIT else ()),
        *_mask_faults(body, brought),
        *_strength_faults(request),
        *_control_faults(body, card),
        *upscale_faults("upscale", request.upscale, request.width, request.height),
    ]
    if faults:
        raise InvalidRequest(faults)
    return request


def _id(each: Input | None) -> str | None:
    return None if each is None else each.id


def _control_scale(body: GenerateBody, task: Task) -> float | None:
    return 1.0 if body.control_scale is None and task is Task.CONTROLNET else body.control_scale


def _task(body: GenerateBody, card: ModelCard) -> Task:
    if body.controlnet is not None or body.control_image is not None:
        return Task.CONTROLNET
    if body.mask is not None:
        return Task.INPAINTING
    if not body.image_references:
        return Task.TEXT_TO_IMAGE
    # A model may do both; who says how much to redraw wants no instruction followed.
    redraws = Task.EDIT not in card.tasks or (body.strength is not None and Task.IMAGE_TO_IMAGE in card.tasks)
    return Task.IMAGE_TO_IMAGE if redraws else Task.EDIT


def _drawn_size(body: GenerateBody, card: ModelCard, brought: Brought) -> tuple[int, int]:
    """As asked for; else of the first picture's shape; else the model's own."""
    size = card.size
    shape = next(iter((*brought.image, *filter(None, (brought.control_image,)))), None)
    if body.width is None and body.height is None and shape is not None:
        return size.shaped_like(shape.width, shape.height)
    return size.width if body.width is None else body.width, size.height if body.height is None else body.height


def _prompt_faults(body: GenerateBody, settings: Settings) -> Iterator[Fault]:
    if not body.prompt.strip():
        yield Fault("prompt", "prompt_empty", "The prompt is empty: say what to draw.")
    for field, text in (("prompt", body.prompt), ("negative_prompt", body.negative_prompt or "")):
        if len(text) > settings.max_prompt_chars:
            message = f"{field} has {len(text)} characters; shorten it to {settings.max_prompt_chars} at most."
            yield Fault(field, "prompt_too_long", message)


def _unknown_model(model: str, catalogue: Catalogue) -> Fault:
    return Fault("model", "unknown_model", f"There is no model {model[:80]!r}. Known are: {', '.join(catalogue)}.")


def _size_faults(request: ImageRequest, card: ModelCard) -> Iterator[Fault]:
    size = card.size
    for field, pixels in (("width", request.width), ("height", request.height)):
        if not size.min <= pixels <= size.max:
            message = f"{field} is {_shown(pixels)}; {card.id} draws {size.min} to {size.max} pixels."
            yield Fault(field, "size_out_of_range", message)
        elif pixels % size.multiple_of:
            nearest = min(size.max, max(size.min, round(pixels / size.multiple_of) * size.multiple_of))
            message = (
                f"{field} is {pixels}; {card.id} draws multiples of {size.multiple_of} pixels. Nearest: {nearest}."
            )
            yield Fault(field, "size_off_grid", message)
    if request.width * request.height > size.max_pixels:
        asked = f"{_shown(request.width)}x{_shown(request.height)}"
        message = f"{asked} is too large; {card.id} draws {size.max_pixels} pixels at most."
        yield Fault("width", "image_too_large", message)


def _value_faults(request: ImageRequest, card: ModelCard, settings: Settings) -> Iterator[Fault]:
    ranges = (
        ("steps", request.steps, card.steps.min, card.steps.max),
        ("guidance_scale", request.guidance_scale, card.guidance_scale.min, card.guidance_scale.max),
        ("n", request.n, 1, settings.max_images_per_job),
        ("seed", request.seed, 0, SEED_LIMIT - 1),
        ("preview_every", request.preview_every, 0, PREVIEW_EVERY_LIMIT),
        ("output_quality", 100 if request.output_quality is None else request.output_quality, 1, 100),
        ("deadline_s", DEADLINE_S[0] if request.deadline_s is None else request.deadline_s, *DEADLINE_S),
    )
    for field, value, least, most in ranges:
        # Written so that a NaN is refused too.
        if not least <= value <= most:
            bounds = f"{least:g} to {most:g}" if most < 1e6 else f"{least} to {most}"
            yield Fault(field, f"{field}_out_of_range", f"{field} is {_shown(value)}; choose {bounds}.")
    if request.scheduler not in card.schedulers:
        known = ", ".join(card.schedulers)
        message = f"{card.id} has no scheduler {request.scheduler[:80]!r}. Known are: {known}."
        yield Fault("scheduler", "unknown_scheduler", message)
    if request.negative_prompt and not card.negative_prompt:
        message = f"{card.id} takes no negative prompt: leave it out, or choose another model."
        yield Fault("negative_prompt", "negative_prompt_unsupported", message)
    if request.output_quality is not None and request.output_format is OutputFormat.PNG:
        message = "A png has no loss to choose: leave output_quality out, or ask for webp or jpeg."
        yield Fault("output_quality", "output_quality_unsupported", message)
    if request.step_reuse not in card.step_reuse.levels:
        message = f"{card.id} allows step_reuse up to {card.step_reuse.max!r}, not {request.step_reuse!r}."
        yield Fault("step_reuse", "step_reuse_unsupported", message)


def _input_faults(body: GenerateBody, task: Task, card: ModelCard) -> Iterator[Fault]:
    images = len(body.image_references)
    if task is Task.CONTROLNET:
        if images or body.mask is not None:
            message = "A ControlNet draws from the prompt and control_image alone: leave out image and mask."
            yield Fault("image", "inputs_conflict", message)
        return
    if task not in card.tasks:
        able = ", ".join(card.tasks)
        message = f"{card.id} does {able}, but not {task}. `GET /models` says which model does."
        yield Fault("model", UNSUPPORTED, message)
    most = card.max_images if task is Task.EDIT else 1
    if images > most:
        yield Fault("image", "too_many_images", f"image has {images} pictures; {card.id} takes {most} for this.")


def _edit_faults(brought: Brought, card: ModelCard) -> Iterator[Fault]:
    """Editors look at images as they are, and some pipelines at no small or narrow ones."""
    for image in brought.image:
        shorter, longer = sorted((image.width, image.height))
        size = f"image is {image.width}x{image.height}"
        if shorter < card.min_image_side:
            message = f"{size}; {card.id} edits images of {card.min_image_side} pixels a side at least. Make it larger."
            yield Fault("image", "input_too_small", message)
        elif card.max_image_ratio is not None and longer > card.max_image_ratio * shorter:
            message = f"{size}; {card.id} edits images up to {card.max_image_ratio} times as long as wide. Cut it."
            yield Fault("image", "input_too_narrow", message)


def _mask_faults(body: GenerateBody, brought: Brought) -> Iterator[Fault]:
    if body.mask is None:
        return
    if not brought.image:
        yield Fault("mask", "mask_without_image", "There is a mask and no image: send the image that it belongs to.")
    elif body.mask == ALPHA and not brought.image[0].has_alpha:
        message = "mask is `alpha`, but nothing of the image is transparent: clear what to redraw, or send a mask."
        yield Fault("mask", "mask_without_alpha", message)
    elif brought.mask is not None:
        image, mask = brought.image[0], brought.mask
        if (image.width, image.height) != (mask.width, mask.height):
            message = (
                f"The mask is {mask.width}x{mask.height} and the image {image.width}x{image.height}: "
                "make the mask as large as the image."
            )
            yield Fault("mask", "input_sizes_differ", message)


def _strength_faults(request: ImageRequest) -> Iterator[Fault]:
    strength = request.strength
    if strength is None:
        return
    if request.task not in DEFAULT_STRENGTH:
        message = f"strength says how much of an image is redrawn; {request.task} has none: leave it out."
        yield Fault("strength", "strength_without_image", message)
    elif not 0 < strength <= 1:
        message = f"strength is {_shown(strength)}; choose a number above 0, and 1 at most."
        yield Fault("strength", "strength_out_of_range", message)
    elif request.steps >= 1 and int(request.steps * strength) < 1:
        least = 1 / request.steps
        message = f"strength {_shown(strength)} of {request.steps} steps is less than one: choose {least:.2g} or more."
        yield Fault("strength", "strength_out_of_range", message)


def _control_faults(body: GenerateBody, card: ModelCard) -> Iterator[Fault]:
    if (body.controlnet is None) != (body.control_image is None):
        message = "controlnet and control_image belong together: send both, or neither."
        yield Fault("controlnet", "control_incomplete", message)
    elif body.control_scale is not None and body.controlnet is None:
        message = "control_scale is for a ControlNet: send controlnet and control_image too, or leave it out."
        yield Fault("control_scale", "control_incomplete", message)
    if body.controlnet is not None and body.controlnet not in card.controlnets:
        known = f"Known are: {', '.join(card.controlnets)}." if card.controlnets else "It has none."
        message = f"{card.id} has no ControlNet {body.controlnet[:80]!r}. {known}"
        yield Fault("controlnet", "unknown_controlnet", message)
    if body.control_scale is not None and not 0 <= body.control_scale <= 2:
        message = f"control_scale is {_shown(body.control_scale)}; choose 0 to 2."
        yield Fault("control_scale", "control_scale_out_of_range", message)


def upscale_faults(field: str, factor: int | None, width: int, height: int) -> Iterator[Fault]:
    """Of an image so large, where it is to be upscaled."""
    if factor is None:
        return
    if factor not in UPSCALE_FACTORS:
        yield Fault(field, "upscale_out_of_range", f"{field} is {_shown(factor)}; choose 2 or 4.")
    elif is_too_large(width, height, factor):
        message = f"{width}x{height} times {factor} is more than {MOST_PIXELS} pixels: choose 2, or a smaller image."
        yield Fault(field, "upscaled_too_large", message)


def _shown(value: float) -> str:
    """A number as it was sent, unless it has thousands of digits."""
    text = str(value)
    return text if len(text) <= 40 else f"{text[:20]}… ({len(text)} digits)"
