"""What OpenAI's clients send to make images, in our own words.

A field that has a meaning here has it. One that has none is taken and changes nothing where that harms nobody, and
refused with a sentence where the image would be another than was asked for. docs/openai.md lists them.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat

from darkroom.catalogue import Catalogue, ModelCard, StepReuseLevel
from darkroom.errors import Fault, InvalidRequest
from darkroom.request import GenerateBody, OutputFormat, Priority, Text, WholeNumber
from darkroom.settings import Settings

Quality = Literal["low", "medium", "high", "xhigh", "max", "auto", "standard", "hd"]
# As answers name it: clients know these five alone.
SHOWN: dict[Quality, str] = {"auto": "medium", "standard": "medium", "hd": "high"}
# Against the steps that the model's card advises.
STEPS: dict[str, float] = {"low": 0.5, "medium": 1.0, "high": 1.5, "xhigh": 2.0, "max": 3.0}
SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")
# Our field's name to theirs, where a fault is told of.
THEIRS = {"width": "size", "height": "size", "preview_every": "partial_images", "output_quality": "output_compression"}


class ImagesBody(BaseModel):
    """Fields of the official clients, and ours by `extra_body`."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        protected_namespaces=(),
        json_schema_extra={
            "examples": [
                {"prompt": "a red circle on a white background"},
                {"prompt": "a boat on the sea at sunset", "size": "128x128", "n": 2, "quality": "low", "seed": 7},
            ]
        },
    )

    prompt: Text = Field(description="What to draw.")
    model: Text | None = Field(default=None, description="One of `GET /v1/models`. Default: the server's.")
    n: WholeNumber | None = Field(default=None, description="Images to make. Default: 1.")
    size: Text | None = Field(default=None, description="`auto`, the model's own, or such as `1024x768`.")
    quality: Quality | None = Field(
        default=None,
        description="Denoising steps, against those that the model's card advises: `low` half of them, `medium`, "
        "`auto` and `standard` as many, `high` and `hd` half more, `xhigh` twice, `max` three times; within the "
        "model's bounds.",
    )
    response_format: Literal["url", "b64_json"] | None = Field(
        default=None, description="Base64, the default, or a signed URL that expires. Streams have base64 alone."
    )
    output_format: OutputFormat | None = Field(default=None, description="File format. Default: `png`.")
    output_compression: WholeNumber | None = Field(
        default=None, ge=0, le=100, description="Quality of `jpeg` and `webp` files. `png` has no loss: 100, or none."
    )
    background: Literal["transparent", "opaque", "auto"] | None = Field(
        default=None, description="`transparent` is refused: the models here draw none."
    )
    stream: StrictBool | None = Field(default=None, description="Answer with server-sent events.")
    partial_images: WholeNumber | None = Field(
        default=None, ge=0, le=3, description="Small pictures of how the image stands, so many at most; with `stream`."
    )
    moderation: Literal["low", "auto"] | None = Field(
        default=None, description="Changes nothing: nothing is moderated."
    )
    style: Literal["vivid", "natural"] | None = Field(
        default=None, description="Changes nothing: say it in the prompt."
    )
    user: Text | None = Field(default=None, description="Changes nothing, and is not kept.")
    safety_identifier: Text | None = Field(default=None, description="Comes back in the answer; nothing more.")

    seed: WholeNumber | None = Field(default=None, description="As in `POST /generate`, like all from here on.")
    steps: WholeNumber | None = Field(default=None, description="Before `quality`, where both are given.")
    guidance_scale: StrictFloat | None = None
    negative_prompt: Text | None = None
    scheduler: Text | None = None
    step_reuse: StepReuseLevel | None = None
    priority: Priority | None = None
    deadline_s: StrictFloat | None = None
    cancel_on_disconnect: StrictBool | None = Field(
        default=None,
        description="Whether the job ends with the connection. Default: yes, but not where an Idempotency-Key says "
        "that the client may come back.",
    )

    @property
    def partials(self) -> int:
        return self.partial_images or 0

    @property
    def shown_quality(self) -> str:
        quality = self.quality or "auto"
        return SHOWN.get(quality, quality)

    @property
    def identifier(self) -> str | None:
        return self.safety_identifier or self.user or None


def native(body: ImagesBody, catalogue: Catalogue, settings: Settings, **more: Any) -> GenerateBody:
    """The same as `POST /generate` takes it, and `more` of its fields. Raises InvalidRequest."""
    faults = list(_faults(body))
    if faults:
        raise InvalidRequest(faults)
    card = catalogue.get(settings.default_model if body.model is None else body.model)
    width, height = _sides(body)
    steps = body.steps if body.steps is not None or card is None else _steps(body, card)
    return GenerateBody(
        prompt=body.prompt,
        negative_prompt=body.negative_prompt,
        model=body.model,
        width=width,
        height=height,
        steps=steps,
        guidance_scale=body.guidance_scale,
        seed=body.seed,
        n=1 if body.n is None else body.n,
        scheduler=body.scheduler,
        step_reuse=body.step_reuse,
        output_format=body.output_format or OutputFormat.PNG,
        output_quality=_output_quality(body),
        preview_every=_preview_every(body, steps),
        deadline_s=body.deadline_s,
        # Left out where it is left out: a key may make bulk jobs alone.
        **({} if body.priority is None else {"priority": body.priority}),
        **more,
    )


def in_their_words(error: InvalidRequest) -> InvalidRequest:
    return InvalidRequest([Fault(THEIRS.get(f.field, f.field), f.code, f.message) for f in error.faults])


def _faults(body: ImagesBody) -> Iterator[Fault]:
    if body.size not in {None, "auto"} and not SIZE.fullmatch(body.size or ""):
        yield Fault("size", "invalid_field", "size cannot be read. Send `auto`, or a size such as `1024x768`.")
    if body.background == "transparent":
        message = "The models here draw no transparent background. Send `opaque` or `auto`, or leave it out."
        yield Fault("background", "invalid_field", message)
    if body.stream and body.response_format == "url":
        message = "A stream carries images as base64. Leave response_format out, or ask without `stream`."
        yield Fault("response_format", "invalid_field", message)
    if body.partials and not body.stream:
        yield Fault(
            "partial_images", "invalid_field", "partial_images goes with `stream`: true. Add it, or leave it out."
        )


def _sides(body: ImagesBody) -> tuple[int | None, int | None]:
    found = SIZE.fullmatch(body.size or "")
    return (int(found[1]), int(found[2])) if found else (None, None)


def _steps(body: ImagesBody, card: ModelCard) -> int:
    wanted = round(card.steps.default * STEPS[body.shown_quality])
    return min(card.steps.max, max(card.steps.min, wanted))


def _output_quality(body: ImagesBody) -> int | None:
    """A compression of 100 is no loss, which is what a PNG has anyway."""
    is_png = body.output_format in {None, OutputFormat.PNG}
    if body.output_compression is None or (is_png and body.output_compression == 100):
        return None
    return max(1, body.output_compression)


def _preview_every(body: ImagesBody, steps: int | None) -> int:
    """So that as many previews as were asked for lie evenly between the steps; after the last comes the image."""
    return math.ceil(steps / (body.partials + 1)) if body.partials and steps and steps > 0 else 0
