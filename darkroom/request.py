"""What a client asks for: as it may be sent, and as it is once complete (completion.py)."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictFloat, StrictInt

from darkroom.catalogue import StepReuseLevel
from darkroom.inputs import ALPHA, Fit, Task
from darkroom.webhooks.delivery import WebhookEvent

SEED_LIMIT = 2**32
PREVIEW_EVERY_LIMIT = 1000
# Seconds. Less is over before a worker looks; more than a week is no deadline.
DEADLINE_S = (5, 604_800)
# Of one request, whatever the model takes: each is read before the model is asked.
MOST_IMAGES = 16
UPSCALE_FACTORS = (2, 4)


class OutputFormat(StrEnum):
    PNG = "png"
    WEBP = "webp"
    JPEG = "jpeg"


class Priority(StrEnum):
    """Interactive jobs go before bulk ones."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


def _encodable(text: str) -> str:
    """JSON can spell halves of surrogate pairs, which are no characters: no file or store could take them."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("it holds half of a surrogate pair, which is no character; mend its encoding") from error
    return text


def _whole(value: object) -> object:
    """JSON has one kind of number: 4.0 is 4, and some languages write it so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Text = Annotated[str, AfterValidator(_encodable)]
WholeNumber = Annotated[StrictInt, BeforeValidator(_whole)]


def _some_images(images: Text | list[Text]) -> Text | list[Text]:
    if not isinstance(images, str) and not 1 <= len(images) <= MOST_IMAGES:
        raise ValueError(f"name 1 to {MOST_IMAGES} pictures")
    return images


Images = Annotated[Text | list[Text], AfterValidator(_some_images)]


class GenerateBody(BaseModel):
    """A request as a client sends it. What is left out is filled in from the model's card."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        protected_namespaces=(),
        json_schema_extra={
            "examples": [
                {"prompt": "a red circle on a white background"},
                {
                    "prompt": "a boat on the sea at sunset",
                    "negative_prompt": "clouds",
                    "model": "minilab",
                    "width": 128,
                    "height": 128,
                    "steps": 20,
                    "guidance_scale": 2.0,
                    "seed": 7,
                    "n": 2,
                    "output_format": "webp",
                    "priority": "bulk",
                    "preview_every": 5,
                },
            ]
        },
    )

    prompt: Text = Field(description="What to draw.")
    negative_prompt: Text | None = Field(default=None, description="What to keep out, for models that take it.")
    model: Text | None = Field(default=None, description="One of `GET /models`. Default: the server's.")
    width: WholeNumber | None = Field(default=None, description="Pixels, on the model's grid.")
    height: WholeNumber | None = Field(default=None, description="Pixels, on the model's grid.")
    steps: WholeNumber | None = Field(default=None, description="Denoising steps.")
    guidance_scale: StrictFloat | None = Field(default=None, description="How closely to follow the prompt.")
    seed: WholeNumber | None = Field(
        default=None, description="0 to 4294967295. Image i of a job uses seed + i. Default: drawn at random."
    )
    n: WholeNumber = Field(default=1, description="Images to make.")
    scheduler: Text | None = Field(default=None, description="One of the model's schedulers. Default: its own.")
    step_reuse: StepReuseLevel | None = Field(
        default=None,
        description="Faster, for nearly the same image: steps that promise to change little are forecast from those "
        "before, instead of computed. Default: the model's, `off` unless its card says otherwise.",
    )
    output_format: OutputFormat = Field(default=OutputFormat.PNG, description="File format of the images.")
    output_quality: WholeNumber | None = Field(
        default=None,
        description="Of `webp` and `jpeg` files, 1 to 100. Default: near what the eye cannot tell from 100.",
    )
    priority: Priority = Field(default=Priority.INTERACTIVE, description="`interactive` goes before `bulk`.")
    preview_every: WholeNumber = Field(
        default=0, description="Watchers of its events see small previews, one each so many steps. 0: none."
    )
    deadline_s: StrictFloat | None = Field(
        default=None,
        description="A job that has not ended so many seconds after it was made is canceled: 5 to 604800. "
        "Default: it waits as long as it takes.",
    )
    image: Images | None = Field(
        default=None,
        description="What to start from, or to edit: an upload's id, an image's id, a `data:` URL or an `https:` one. "
        "Several for models that take them.",
    )
    mask: Text | None = Field(
        default=None,
        description="Where to redraw `image`: white is redrawn, black stays; in a mask with transparency, what is "
        "transparent is redrawn. Named like `image`, and of its size; or `alpha`, for the image's own transparency.",
    )
    strength: StrictFloat | None = Field(
        default=None, description="How much of `image` is redrawn: above 0, 1 at most. Default: 0.6, with a mask 1."
    )
    controlnet: Text | None = Field(default=None, description="One of the model's ControlNets.")
    control_image: Text | None = Field(default=None, description="What the ControlNet goes by; named like `image`.")
    control_scale: StrictFloat | None = Field(
        default=None, description="How closely to follow `control_image`, 0 to 2. Default: 1."
    )
    fit: Fit = Field(default=Fit.CROP, description="How inputs of another shape come to the size that is drawn.")

    upscale: WholeNumber | None = Field(
        default=None,
        description="2 or 4: once its images are there, another job makes them so many times as wide and as high; "
        "`upscale_job` of the answer is its id. Default: none.",
    )
    webhook: Text | None = Field(
        default=None, description="An `https:` URL that is told, by POST, what becomes of the job."
    )
    webhook_events: list[WebhookEvent] | None = Field(
        default=None, min_length=1, description="Of which events. Default: `succeeded`, `failed`, `canceled`."
    )

    @property
    def image_references(self) -> list[str]:
        if self.image is None:
            return []
        return [self.image] if isinstance(self.image, str) else self.image


class ImageRequest(BaseModel):
    """A complete request. Together with the model's weights it determines the images."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    model: str
    prompt: str
    negative_prompt: str | None
    width: int
    height: int
    steps: int
    guidance_scale: float
    seed: int
    n: int
    scheduler: str
    output_format: OutputFormat
    priority: Priority
    output_quality: int | None = None
    preview_every: int = Field(default=0, description="Steps; 0: no previews.")
    step_reuse: StepReuseLevel = "off"
    deadline_s: float | None = Field(default=None, description="Canceled unless it ends within so many seconds.")

    # Of inputs, the ids under which they are kept.
    task: Task = Task.TEXT_TO_IMAGE
    image: tuple[str, ...] = ()
    mask: str | None = None
    strength: float | None = None
    controlnet: str | None = None
    control_image: str | None = None
    control_scale: float | None = None
    fit: Fit = Fit.CROP
    # Of a job that upscales, its factor; of another, that of the job that is to follow it.
    upscale: int | None = None

    @property
    def cost(self) -> float:
        """Work in megapixel-steps: what fair shares and estimates are counted in."""
        return self.n * self.drawn_steps * self.width * self.height / 1e6 * self._step_cost

    @property
    def drawn_steps(self) -> int:
        """Those that are made: of an image that is redrawn in part, the first ones are left out."""
        return self.steps if self.strength is None else max(1, min(self.steps, int(self.steps * self.strength)))

    @property
    def _step_cost(self) -> float:
        """Against a step of text to image: images to edit are read along, and a ControlNet is half a network more."""
        return 1.0 + len(self.image) if self.task is Task.EDIT else 1.5 if self.task is Task.CONTROLNET else 1.0

    @property
    def inputs(self) -> tuple[str, ...]:
        """Ids of all inputs, each once. Images that are upscaled are read where they are."""
        if self.task is Task.UPSCALE:
            return ()
        named = (*self.image, self.mask, self.control_image)
        return tuple(dict.fromkeys(each for each in named if each is not None and each != ALPHA))

    def seed_of(self, index: int) -> int:
        return (self.seed + index) % SEED_LIMIT
