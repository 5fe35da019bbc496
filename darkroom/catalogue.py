"""What is known of each diffusion model without loading it: names, sizes, limits. Reads one TOML file.

It stands in the kernel because both sides need it: the API to refuse a size that a model cannot draw,
a worker to know what to load.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Generic, Literal, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveInt, ValidationError, model_validator

from darkroom.errors import Misconfigured
from darkroom.inputs import Task

SchedulerName = Literal[
    "ddim",
    "ddpm",
    "deis",
    "dpmpp_2m",
    "dpmpp_2m_karras",
    "dpmpp_2m_sde",
    "euler",
    "euler_ancestral",
    "heun",
    "lcm",
    "pndm",
    "unipc",
    # For models trained by flow matching, which none of those above fits.
    "flow_euler",
    "flow_heun",
    "flow_unipc",
]
# Attention as diffusers names it. Those that fetch a kernel from the hub are not among them: they run what they fetch.
AttentionName = Literal[
    "native",
    "_native_cudnn",
    "_native_efficient",
    "_native_flash",
    "_native_math",
    "flash",
    "_flash_3",
    "flex",
    "sage",
    "xformers",
]
StepReuseLevel = Literal["off", "low", "medium", "high"]
STEP_REUSE_LEVELS: tuple[StepReuseLevel, ...] = get_args(StepReuseLevel)
Number = TypeVar("Number", int, float)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Range(_Frozen, Generic[Number]):
    """Bounds, both included. Equal ones: the value is fixed."""

    default: Number
    min: Number
    max: Number

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.min <= self.default <= self.max:
            raise ValueError(f"min <= default <= max does not hold for {self.min}, {self.default}, {self.max}")
        return self


class Size(_Frozen):
    """Pixels. A width or height is a multiple of `multiple_of` from `min` to `max`."""

    width: int
    height: int
    min: int = Field(ge=8)
    max: int
    multiple_of: int = Field(ge=1)
    max_pixels: int

    @model_validator(mode="after")
    def _default_fits(self) -> Self:
        for side in (self.width, self.height):
            if not self.min <= side <= self.max or side % self.multiple_of:
                raise ValueError(f"the default side {side} is no multiple of {self.multiple_of} within its bounds")
        if self.width * self.height > self.max_pixels:
            raise ValueError(f"the default size has more than max_pixels = {self.max_pixels}")
        return self

    def allows(self, width: int, height: int) -> bool:
        sides_fit = all(self.min <= side <= self.max and side % self.multiple_of == 0 for side in (width, height))
        return sides_fit and width * height <= self.max_pixels

    def shaped_like(self, width: int, height: int) -> tuple[int, int]:
        """About as many pixels as its own size, which it draws best, in a picture's shape as far as it is drawn."""
        scale = (self.width * self.height / (width * height)) ** 0.5
        drawn_width, drawn_height = self._on_grid(width * scale), self._on_grid(height * scale)
        while drawn_width * drawn_height > self.max_pixels:
            drawn_width, drawn_height = (
                side - self.multiple_of if side == max(drawn_width, drawn_height) else side
                for side in (drawn_width, drawn_height)
            )
        return drawn_width, drawn_height

    def _on_grid(self, side: float) -> int:
        least = -(-self.min // self.multiple_of) * self.multiple_of
        most = self.max // self.multiple_of * self.multiple_of
        return min(most, max(least, round(side / self.multiple_of) * self.multiple_of))


class Tuning(_Frozen):
    """How a model runs on CUDA. Nothing of it holds on other devices."""

    compile: bool = Field(default=False, description="Compile what runs at each step; the first start takes minutes.")
    fuse_qkv: bool = Field(default=False, description="One matrix product for queries, keys and values.")
    attention: AttentionName | None = Field(default=None, description="Kernel of attention; unset: torch's own choice.")
    quantization: Literal["float8_storage", "float8", "int8"] | None = Field(
        default=None,
        description="Weights of the denoiser in 8 bits: only kept so, computed so, or kept as whole numbers.",
    )

    @model_validator(mode="after")
    def _compatible(self) -> Self:
        if self.quantization and self.fuse_qkv:
            raise ValueError("fuse_qkv and quantization exclude each other: 8-bit weights are not fused")
        if self.quantization == "float8_storage" and self.compile:
            raise ValueError("float8_storage casts weights at each use, which cannot be compiled: set compile = false")
        return self


class StepReuse(_Frozen):
    """How much of a job's work its steps may share: what a request gets that does not say, and the most it may ask."""

    default: StepReuseLevel = "off"
    max: StepReuseLevel = "high"

    @property
    def levels(self) -> tuple[StepReuseLevel, ...]:
        return STEP_REUSE_LEVELS[: STEP_REUSE_LEVELS.index(self.max) + 1]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.default not in self.levels:
            raise ValueError(f"the default {self.default} is above the most, {self.max}")
        return self


class ControlNet(_Frozen):
    """A network that leads a model by a picture. Either a repository of the hub, or a folder."""

    hub_id: str | None = Field(default=None, pattern=r"^[\w.-]+/[\w.-]+$")
    path: Path | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.hub_id is None) == (self.path is None):
            raise ValueError("give either hub_id or path")
        return self


class ModelCard(_Frozen):
    """One model of the catalogue."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")
    title: str
    summary: str
    license: str
    pipeline: str = Field(description="Class of diffusers.", pattern=r"^[A-Za-z0-9]+Pipeline$")
    hub_id: str | None = Field(
        default=None, description="Repository on the Hugging Face hub.", pattern=r"^[\w.-]+/[\w.-]+$"
    )
    revision: str | None = Field(default=None, description="Commit, tag or branch of it.")
    variant: str | None = Field(default=None, description="Middle part of its weight files' names, such as `fp16`.")
    skip: tuple[str, ...] = Field(default=(), description="Its files that the pipeline never reads, as patterns.")
    path: Path | None = Field(default=None, description="Local folder, from the catalogue's own folder.")
    dtype: Literal["bfloat16", "float16", "float32"] = Field(description="On a GPU; on the CPU always float32.")
    size: Size
    steps: Range[PositiveInt]
    guidance_scale: Range[NonNegativeFloat]
    scheduler: SchedulerName
    schedulers: tuple[SchedulerName, ...] = Field(min_length=1)
    negative_prompt: bool = Field(description="Whether the pipeline takes one.")
    step_reuse: StepReuse = Field(default=StepReuse(), description="Steps that change little may be forecast.")
    tasks: tuple[Task, ...] = Field(
        default=(Task.TEXT_TO_IMAGE,), min_length=1, description="What it can be asked for, besides ControlNets."
    )
    max_images: PositiveInt = Field(default=1, description="Images that one edit may take.")
    min_image_side: PositiveInt = Field(default=8, description="Pixels of an image to edit, at least, on both sides.")
    max_image_ratio: PositiveInt | None = Field(default=None, description="Of its longer side to the other.")
    controlnets: dict[str, ControlNet] = Field(default={}, description="By the names that requests give them.")
    gated: bool = Field(default=False, description="Whether the hub asks for a licence to be accepted first.")
    tiny_vae: str | None = Field(
        default=None,
        description="Repository of an AutoencoderTiny that previews are drawn with, if a GPU node has it.",
        pattern=r"^[\w.-]+/[\w.-]+$",
    )
    cuda: Tuning = Field(default=Tuning(), description="How it runs on CUDA.")
    warm_sizes: tuple[tuple[PositiveInt, PositiveInt], ...] = Field(
        default=(), description="Widths and heights that are warmed up beside the default one."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.hub_id is None) == (self.path is None):
            raise ValueError("give either hub_id or path")
        if self.scheduler not in self.schedulers:
            raise ValueError(f"the default scheduler {self.scheduler} is not among its schedulers")
        for width, height in self.warm_sizes:
            if not self.size.allows(width, height):
                raise ValueError(f"warm_sizes has {width}x{height}, which the model does not draw")
        return self


class Catalogue(Mapping[str, ModelCard]):
    """Model cards by id, in the file's order."""

    def __init__(self, cards: Mapping[str, ModelCard]) -> None:
        self._cards = dict(cards)

    def __getitem__(self, model: str) -> ModelCard:
        return self._cards[model]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cards)

    def __len__(self) -> int:
        return len(self._cards)


def read_catalogue(path: Path) -> Catalogue:
    """Raises Misconfigured, naming the file and the entry at fault."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"The catalogue {path} cannot be read: {error}") from error
    if not tables:
        raise Misconfigured(f"The catalogue {path} is empty; it needs one table for each model, such as [minilab].")
    return Catalogue({model: _card(path, model, table) for model, table in tables.items()})


def _card(path: Path, model: str, table: object) -> ModelCard:
    if not isinstance(table, dict):
        raise Misconfigured(f"The catalogue {path} has a stray value {model!r}; each model is a table [{model}].")
    try:
        card = ModelCard(**{"id": model, **table})
    except ValidationError as error:
        raise Misconfigured(f"The catalogue {path}, entry [{model}]: {_faults(error)}") from error
    return card.model_copy(
        update={
            "path": _beside(path, card.path),
            "controlnets": {
                name: net.model_copy(update={"path": _beside(path, net.path)}) for name, net in card.controlnets.items()
            },
        }
    )


def _beside(catalogue: Path, path: Path | None) -> Path | None:
    return None if path is None else (catalogue.parent / path).resolve()


def _faults(error: ValidationError) -> str:
    """One line, without pydantic's own links and dumps of the input."""
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'entry'}: {fault['msg']}"
        for fault in error.errors(include_url=False, include_input=False)
    )
