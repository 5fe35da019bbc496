"""The proxy by which chaos cuts connections: otherwise a cut that was none would prove nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.chaos.link import Link

SOON_S = 5
A_MOMENT_S = 0.05

Scene = Callable[[Link], Awaitable[None]]


@asynccontextmanager
async def echoing() -> AsyncIterator[Link]:
    """A link to a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    link = Link(server.sockets[0].getsockname()[1])
    await link.open()
    try:
        yield link
    finally:
        await link.cut()
        server.close()


def play(scene: Scene) -> None:
    async def with_link() -> None:
        async with echoing() as link, asyncio.timeout(SOON_S):
            await scene(link)

    asyncio.run(with_link())


async def connected(link: Link) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    writer.write(b"one")
    assert await reader.readexactly(3) == b"one"
    return reader, writer


def test_what_is_sent_comes_back_as_it_was() -> None:
    async def scene(link: Link) -> None:
        _, writer = await connected(link)
        writer.close()

    play(scene)


def test_a_cut_ends_connections_and_refuses_new_ones_until_healed() -> None:
    async def scene(link: Link) -> None:
        reader, writer = await connected(link)

        await link.cut()

        assert await reader.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", link.port)
        await link.heal()
        _, another = await connected(link)
        writer.close()
        another.close()

    play(scene)


def test_what_is_sent_through_a_stalled_link_arrives_when_it_is_healed() -> None:
    async def scene(link: Link) -> None:
        reader, writer = await connected(link)
        link.stall()
        writer.write(b"two")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(3), A_MOMENT_S)

        await link.heal()

        assert await reader.readexactly(3) == b"two"
        writer.close()

    play(scene)


def test_a_stalled_link_takes_new_connections_and_is_silent() -> None:
    async def scene(link: Link) -> None:
        link.stall()

        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        writer.write(b"one")

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(3), A_MOMENT_S)
        writer.close()

    play(scene)


def test_an_end_that_closes_is_closed_at_the_other_end_too() -> None:
    async def scene(link: Link) -> None:
        reader, writer = await connected(link)

        writer.write_eof()

        assert await reader.read() == b""
        writer.close()

    play(scene)


def test_an_answer_is_lost_once_what_was_asked_is_done_and_new_connections_are_sound() -> None:
    async def scene(link: Link) -> None:
        lost: list[str] = []
        reader, writer = await connected(link)
        link.lose_answers(lambda: lost.append("two"))

        writer.write(b"two")

        assert await reader.read() == b""
        assert lost == ["two"]
        _, another = await connected(link)
        writer.close()
        another.close()

    play(scene)


def test_a_healed_link_loses_no_answers() -> None:
    async def scene(link: Link) -> None:
        reader, writer = await connected(link)
        link.lose_answers()

        await link.heal()

        writer.write(b"two")
        assert await reader.readexactly(3) == b"two"
        writer.close()

    play(scene)
