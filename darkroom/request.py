"""What a client asks for: as it may be sent, and as it is once complete (completion.py)."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictFloat, StrictInt

from darkroom.catalogue import StepReuseLevel

SEED_LIMIT = 2**32
PREVIEW_EVERY_LIMIT = 1000


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


Text = Annotated[str, AfterValidator(_encodable)]


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
    width: StrictInt | None = Field(default=None, description="Pixels, on the model's grid.")
    height: StrictInt | None = Field(default=None, description="Pixels, on the model's grid.")
    steps: StrictInt | None = Field(default=None, description="Denoising steps.")
    guidance_scale: StrictFloat | None = Field(default=None, description="How closely to follow the prompt.")
    seed: StrictInt | None = Field(
        default=None, description="0 to 4294967295. Image i of a job uses seed + i. Default: drawn at random."
    )
    n: StrictInt = Field(default=1, description="Images to make.")
    scheduler: Text | None = Field(default=None, description="One of the model's schedulers. Default: its own.")
    step_reuse: StepReuseLevel | None = Field(
        default=None,
        description="Faster, for nearly the same image: steps that promise to change little are forecast from those "
        "before, instead of computed. Default: the model's, `off` unless its card says otherwise.",
    )
    output_format: OutputFormat = Field(default=OutputFormat.PNG, description="File format of the images.")
    priority: Priority = Field(default=Priority.INTERACTIVE, description="`interactive` goes before `bulk`.")
    preview_every: StrictInt = Field(
        default=0, description="Watchers of its events see small previews, one each so many steps. 0: none."
    )


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
    preview_every: int = Field(default=0, description="Steps; 0: no previews.")
    step_reuse: StepReuseLevel = "off"

    @property
    def cost(self) -> float:
        """Work in megapixel-steps: what fair shares and estimates are counted in."""
        return self.n * self.steps * self.width * self.height / 1e6

    def seed_of(self, index: int) -> int:
        return (self.seed + index) % SEED_LIMIT
