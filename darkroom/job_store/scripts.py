"""The Lua scripts by which jobs change. Each runs whole, with nothing of another client in between."""

import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from darkroom.errors import RedisUnavailable
from darkroom.job_store import keys
from darkroom.job_store.redis_client import GIVES_UP_AFTER_S, Client, RedisClock, redis_errors
from darkroom.jobs import NEXT

FOLDER = Path(__file__).parent / "lua"

Argument = str | int | float
Answer = str | int | list["Answer"] | None


def next_in_lua() -> str:
    """The table of transitions as Lua, so that it exists once."""
    rows = (f"{state}={{{','.join(sorted(f'{later}=true' for later in NEXT[state]))}}}" for state in NEXT)
    return f"local NEXT = {{{','.join(rows)}}}\n"


def keys_in_lua() -> str:
    """What `key` of the prelude puts before a key's parts, by its name."""
    prefixes = ",".join(f"{key.name}='{key.prefix}'" for key in keys.ALL)
    return f"local PREFIX = {{{prefixes}}}\n"


@cache
def source(name: str) -> str:
    """The whole text of a script as Redis gets it."""
    prelude = (FOLDER / "prelude.lua").read_text(encoding="utf-8")
    return next_in_lua() + keys_in_lua() + prelude + (FOLDER / f"{name}.lua").read_text(encoding="utf-8")


def record_of(flat: Sequence[Answer]) -> dict[str, str]:
    """A hash as scripts answer it: name, value, name, value."""
    return {str(name): str(value) for name, value in zip(flat[::2], flat[1::2], strict=True)}


class Scripts:
    def __init__(self, client: Client, clock: RedisClock | None = None) -> None:
        self._clock = clock or RedisClock(client)
        self._scripts = {
            path.stem: client.register_script(source(path.stem))
            for path in FOLDER.glob("*.lua")
            if path.stem != "prelude"
        }

    def run(self, name: str, *arguments: Argument) -> Answer:
        """Raises RedisUnavailable."""
        with redis_errors():
            answer: Answer = self._scripts[name](args=list(arguments))
            return answer

    def run_in_time(self, name: str, *arguments: Argument) -> Answer:
        """Like `run`, for what must not happen once this has been given up: the script gets that moment first.

        Raises RedisUnavailable, also where the script came too late.
        """
        gives_up_s = time.monotonic() + GIVES_UP_AFTER_S
        for _ in range(2):
            answer = self.run(name, self._clock.at_ms(gives_up_s), *arguments)
            match answer:
                case ["late", _]:
                    self._clock.look()  # if it was set meanwhile, that may be why
                case _:
                    return answer
        raise RedisUnavailable("The job store (Redis) was reached too late. Try again in a few seconds.")
