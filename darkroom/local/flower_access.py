"""How Flower is reached, and by whom: it shows every job's arguments, so it is never without a password."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

USER = "darkroom"


@dataclass(frozen=True)
class FlowerAccess:
    port: int
    credentials: str  # user:password

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def flower_access(environment: Mapping[str, str], port: int) -> FlowerAccess:
    """The credentials that the environment names, else new ones."""
    chosen = environment.get("FLOWER_BASIC_AUTH")
    return FlowerAccess(port=port, credentials=chosen or f"{USER}:{secrets.token_urlsafe(12)}")
