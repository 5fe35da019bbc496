"""Completes a request, once, at the door.

A body may leave out all but the prompt: the model's own defaults fill the gaps, a seed is drawn, and every fault is
found at the same time.
"""

from collections.abc import Callable, Iterator

from darkroom.catalogue import Catalogue, ModelCard
from darkroom.errors import Fault, InvalidRequest
from darkroom.request import PREVIEW_EVERY_LIMIT, SEED_LIMIT, GenerateBody, ImageRequest
from darkroom.settings import Settings

# Every code that a fault found here can have.
FAULT_CODES = (
    "prompt_empty", "prompt_too_long", "size_out_of_range", "size_off_grid", "image_too_large", "steps_out_of_range",
    "guidance_scale_out_of_range", "n_out_of_range", "seed_out_of_range", "preview_every_out_of_range", "unknown_model",
    "unknown_scheduler", "negative_prompt_unsupported", "step_reuse_unsupported",
)  # fmt: skip


def complete(
    body: GenerateBody, catalogue: Catalogue, settings: Settings, draw_seed: Callable[[], int]
) -> ImageRequest:
    """Raises InvalidRequest with every fault of the body."""
    model = body.model if body.model is not None else settings.default_model
    card = catalogue.get(model)
    if card is None:
        raise InvalidRequest([*_prompt_faults(body, settings), _unknown_model(model, catalogue)])
    request = ImageRequest(
        model=model,
        prompt=body.prompt,
        negative_prompt=body.negative_prompt,
        width=card.size.width if body.width is None else body.width,
        height=card.size.height if body.height is None else body.height,
        steps=card.steps.default if body.steps is None else body.steps,
        guidance_scale=card.guidance_scale.default if body.guidance_scale is None else body.guidance_scale,
        seed=body.seed if body.seed is not None else draw_seed(),
        n=body.n,
        scheduler=body.scheduler if body.scheduler is not None else card.scheduler,
        output_format=body.output_format,
        priority=body.priority,
        preview_every=body.preview_every,
        step_reuse=card.step_reuse.default if body.step_reuse is None else body.step_reuse,
    )
    faults = [*_prompt_faults(body, settings), *_size_faults(request, card), *_value_faults(request, card, settings)]
    if faults:
        raise InvalidRequest(faults)
    return request


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
    if request.step_reuse not in card.step_reuse.levels:
        message = f"{card.id} allows step_reuse up to {card.step_reuse.max!r}, not {request.step_reuse!r}."
        yield Fault("step_reuse", "step_reuse_unsupported", message)


def _shown(value: float) -> str:
    """A number as it was sent, unless it has thousands of digits."""
    text = str(value)
    return text if len(text) <= 40 else f"{text[:20]}… ({len(text)} digits)"
