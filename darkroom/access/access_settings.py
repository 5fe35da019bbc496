"""Settings on who may use the service and how much, where the key itself says nothing else."""

from pydantic import Field
from pydantic_settings import BaseSettings


class AccessSettings(BaseSettings):
    """A part of `Settings`."""

    require_keys: bool = Field(
        default=False,
        description="Ask for a key also while `DARKROOM_API_KEYS` is empty: for those that `darkroom keys create` "
        "makes. The API may then bind other addresses than loopback.",
    )
    max_requests_per_minute: int | None = Field(
        default=None, ge=1, description="Requests for images that one key may send in any minute; more get 429."
    )
    max_unfinished_per_key: int | None = Field(
        default=None, ge=1, description="Jobs of all models that one key may have waiting and running; more get 429."
    )
    max_daily_megapixel_steps: float | None = Field(
        default=None, gt=0, description="Work that one key may ask for in a day of UTC, megapixel-steps; more get 429."
    )
