"""What a key may do, and how much: the terms on which its requests are taken. Knows neither Redis nor HTTP."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from darkroom.settings import Settings

# The one owner where no key is asked for.
ANONYMOUS = "anonymous"


class Limits(BaseModel):
    """None: whatever the settings say, and where they say nothing, no limit."""

    model_config = ConfigDict(frozen=True)

    per_minute: int | None = Field(default=None, ge=1, description="Requests that make jobs, in any minute.")
    waiting: int | None = Field(default=None, ge=1, description="Jobs in one model's line.")
    unfinished: int | None = Field(default=None, ge=1, description="Jobs that wait or run, of all models.")
    daily_megapixel_steps: float | None = Field(default=None, gt=0, description="Work, by day of UTC.")

    def or_else(self, defaults: "Limits") -> "Limits":
        return Limits.model_validate(defaults.model_dump() | self.model_dump(exclude_none=True))


class Access(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    is_admin: bool = False
    weight: float = Field(default=1.0, gt=0)
    bulk_only: bool = False
    models: tuple[str, ...] = Field(default=(), description="Those that it may use; none named: all.")
    limits: Limits = Limits()

    def with_defaults(self, settings: Settings) -> Self:
        return self.model_copy(update={"limits": self.limits.or_else(default_limits(settings))})

    def may_use(self, model: str) -> bool:
        return not self.models or model in self.models


def default_limits(settings: Settings) -> Limits:
    return Limits(
        per_minute=settings.max_requests_per_minute,
        waiting=settings.max_waiting_per_key,
        unfinished=settings.max_unfinished_per_key,
        daily_megapixel_steps=settings.max_daily_megapixel_steps,
    )


def configured_access(name: str, settings: Settings) -> Access:
    """Of a key in the environment; or of `anonymous`, who may do everything."""
    return Access(
        name=name,
        is_admin=name == ANONYMOUS or name in settings.admin_keys,
        weight=settings.key_weights.get(name, 1.0),
        limits=default_limits(settings),
    )
