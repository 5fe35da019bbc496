"""What is known of each diffusion model without loading it: names, sizes, limits. Reads one TOML file.

It stands in the kernel because both sides need it: the API to refuse a size that a model cannot draw,
a worker to know what to load.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from darkroom.errors import Misconfigured

SCHEDULERS = Literal[
    "ddim", "ddpm", "deis", "dpmpp_2m", "dpmpp_2m_karras", "dpmpp_sde", "euler", "euler_ancestral",
    "flow_euler", "flow_heun", "heun", "lcm", "lms", "pndm", "unipc",
]  # fmt: skip


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Range(_Frozen):
    """Bounds, both included."""

    default: float
    min: float
    max: float

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
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


class ModelCard(_Frozen):
    """One model of the catalogue."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")
    title: str
    summary: str
    license: str
    pipeline: str = Field(description="Class of diffusers.", pattern=r"^[A-Za-z0-9]+Pipeline$")
    hub_id: str | None = Field(default=None, description="Repository on the Hugging Face hub.")
    revision: str | None = None
    variant: str | None = None
    path: Path | None = Field(default=None, description="Local folder, from the catalogue's own folder.")
    dtype: Literal["bfloat16", "float16", "float32"] = Field(description="On CUDA; elsewhere the device decides.")
    size: Size
    steps: Range
    guidance_scale: Range
    scheduler: SCHEDULERS
    schedulers: tuple[SCHEDULERS, ...] = Field(min_length=1)
    negative_prompt: bool = Field(description="Whether the pipeline takes one.")
    gated: bool = Field(default=False, description="Whether the hub asks for a licence to be accepted first.")

    @model_validator(mode="after")
    def _consistent(self) -> "ModelCard":
        if (self.hub_id is None) == (self.path is None):
            raise ValueError("give either hub_id or path")
        if self.scheduler not in self.schedulers:
            raise ValueError(f"the default scheduler {self.scheduler} is not among its schedulers")
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
    return Catalogue({model: _card(path, model, table) for model, table in tables.items()})


def _card(path: Path, model: str, table: object) -> ModelCard:
    if not isinstance(table, dict):
        raise Misconfigured(f"The catalogue {path} has a stray value {model!r}; each model is a table [{model}].")
    try:
        card = ModelCard(id=model, **table)
    except ValidationError as error:
        raise Misconfigured(f"The catalogue {path}, entry [{model}]: {error}") from error
    if card.path is None:
        return card
    return card.model_copy(update={"path": (path.parent / card.path).resolve()})
