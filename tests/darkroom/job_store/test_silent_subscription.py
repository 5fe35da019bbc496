"""A connection that hears nothing is either quiet or dead. The words of Redis are scripted."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import pytest

from darkroom.job_store.subscription import Subscription

SILENCE = None
PONG = {"type": "pong", "channel": ""}


class ScriptedRedis:
    """Each connection hears the next script, and then nothing, for ever."""

    def __init__(self, *scripts: Sequence[dict[str, str] | None]) -> None:
        self._scripts = list(scripts)
        self.connections: list[ScriptedConnection] = []
        self.script_ended = asyncio.Event()

    def pubsub(self) -> "ScriptedConnection":
        self.connections.append(ScriptedConnection(self._scripts.pop(0), self))
        return self.connections[-1]


class ScriptedConnection:
    def __init__(self, script: Sequence[dict[str, str] | None], server: ScriptedRedis) -> None:
        self._script = list(script)
        self._server = server
        self.pings = 0

    async def __aenter__(self) -> "ScriptedConnection":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: Any, at: TracebackType | None) -> None: ...

    async def connect(self) -> None: ...

    async def subscribe(self, *channels: str) -> None: ...

    async def ping(self) -> None:
        self.pings += 1

    async def get_message(self, timeout: float) -> dict[str, str] | None:
        if not self._script:
            self._server.script_ended.set()
            await asyncio.Event().wait()
        return self._script.pop(0)


async def _listen(*scripts: Sequence[dict[str, str] | None]) -> tuple[list[int], list[str]]:
    """Pings of each connection, and the channels that were heard, when the last script has ended."""
    heard: list[str] = []
    server = ScriptedRedis(*scripts)
    subscription = Subscription(server, heard.append)
    subscription.add("a")
    await asyncio.wait_for(server.script_ended.wait(), 20)
    await subscription.close()
    return [connection.pings for connection in server.connections], heard


@pytest.mark.parametrize("answer", [PONG, {"type": "message", "channel": "a"}])
def test_a_quiet_connection_that_answers_is_kept(answer: dict[str, str]) -> None:
    pings, _ = asyncio.run(_listen([SILENCE, answer, SILENCE, answer, SILENCE, answer]))

    assert pings == [3]


def test_a_connection_that_does_not_answer_is_opened_anew() -> None:
    pings, _ = asyncio.run(_listen([PONG, SILENCE, SILENCE], [PONG]))

    assert pings == [1, 0]


def test_a_word_and_a_new_subscription_are_heard_and_an_answer_is_not() -> None:
    _, heard = asyncio.run(_listen([{"type": "subscribe", "channel": "a"}, PONG, {"type": "message", "channel": "a"}]))

    assert heard == ["a", "a"]
