"""The list of API keys as an operator writes it: `name:key` pairs, comma-separated. Two keys may share a name."""

import re

from darkroom.errors import Misconfigured
from darkroom.settings import Settings

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SHORTEST_KEY = 16
# What an HTTP header carries without anybody guessing an encoding.
KEY = re.compile(rf"[!-~]{{{SHORTEST_KEY},}}")


def named_keys(settings: Settings) -> list[tuple[str, str]]:
    """Names and keys, in the operator's order. Raises Misconfigured for a malformed list."""
    parts = (part.strip() for part in settings.api_keys.get_secret_value().split(","))
    return [_named_key(part) for part in parts if part]


def _named_key(part: str) -> tuple[str, str]:
    name, colon, key = part.partition(":")
    if not colon or not NAME.fullmatch(name) or not KEY.fullmatch(key):
        raise Misconfigured(
            "DARKROOM_API_KEYS is a comma-separated list of name:key, the name of letters, digits and ._- and "
            f"the key of {SHORTEST_KEY} ASCII characters at least. `openssl rand -hex 24` makes a key."
        )
    return name, key
