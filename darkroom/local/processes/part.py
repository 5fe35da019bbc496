"""One process of the local stack, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """`environment` is the whole of it, not an addition. A foundation starts before the others and stops after them."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    is_foundation: bool = False
