"""One network connection between two parts, as a TCP proxy that can be cut, stalled and healed. Knows no protocol."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.servers import free_port

CHUNK = 65_536


def _never() -> bool:
    return False


class Link:
    """Parts connect to `port` and reach `target`, a port or a Unix socket. To be used in one event loop."""

    def __init__(self, target: int | Path) -> None:
        self.port = free_port()
        self._target = target
        self._server: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._pairs: set[asyncio.Task[None]] = set()
        self._losing: set[asyncio.Task[None]] = set()
        self._loses_all = False
        self._on_lost: Callable[[], object] = lambda: None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def cut(self) -> None:
        """Connections end at once, and new ones are refused."""
        if self._server:
            self._server.close()
            self._server = None
        for pair in self._pairs:
            pair.cancel()
        await asyncio.gather(*self._pairs, return_exceptions=True)

    def stall(self) -> None:
        """Connections stay, new ones are taken, and nothing passes: what was sent arrives when all is healed."""
        self._flows.clear()

    def lose_answers(self, on_lost: Callable[[], object] = lambda: None, *, until_healed: bool = False) -> None:
        """What is asked arrives and is done; in the place of the answer, the connection ends. New ones are sound.

        Of each connection that is open now, at its next answer: then `on_lost` is called, before the end is told.
        Until it is healed new ones lose theirs too, if so wished.
        """
        self._losing = set(self._pairs)
        self._loses_all = until_healed
        self._on_lost = on_lost

    async def heal(self) -> None:
        self._flows.set()
        self._losing.clear()
        self._loses_all = False
        if self._server is None:
            await self.open()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pair = asyncio.ensure_future(self._join(reader, writer))
        self._pairs.add(pair)
        pair.add_done_callback(self._pairs.discard)
        pair.add_done_callback(self._losing.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            await self._flows.wait()
            target_reader, target_writer = await self._connect()
            ends.append(target_writer)
            pair = asyncio.current_task()
            there = asyncio.ensure_future(self._pump(reader, target_writer))
            back = asyncio.ensure_future(
                self._pump(target_reader, writer, lambda: self._loses_all or pair in self._losing)
            )
            try:
                await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                there.cancel()
                back.cancel()
                await asyncio.gather(there, back, return_exceptions=True)
        except OSError:
            pass  # what it leads to is not there
        finally:
            for end in ends:
                end.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, Path):
            return await asyncio.open_unix_connection(self._target)
        return await asyncio.open_connection("127.0.0.1", self._target)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_lost: Callable[[], bool] = _never
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if is_lost():
                    self._on_lost()
                    return
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
            await self._flows.wait()
