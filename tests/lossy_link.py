"""A link to Redis that loses answers on demand, for tests that are not asynchronous."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.chaos.link import Link


@dataclass(frozen=True)
class LossyLink:
    url: str
    _link: Link
    _loop: asyncio.AbstractEventLoop

    def lose_answers(self, on_lost: Callable[[], object] = lambda: None) -> None:
        """The next on each open connection, once Redis has done what was asked: see `Link.lose_answers`."""
        self._do(lambda: self._link.lose_answers(on_lost))

    def lose_all_answers(self) -> None:
        """Until it is healed."""
        self._do(lambda: self._link.lose_answers(until_healed=True))

    def heal(self) -> None:
        asyncio.run_coroutine_threadsafe(self._link.heal(), self._loop).result()

    def _do(self, act: Callable[[], None]) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(act)
        self._loop.call_soon_threadsafe(done.set)
        done.wait()


@contextmanager
def lossy_link(redis_url: str) -> Iterator[LossyLink]:
    """To a Redis behind a Unix socket."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="lossy-link", daemon=True)
    thread.start()
    link = Link(Path(urlsplit(redis_url).path))
    asyncio.run_coroutine_threadsafe(link.open(), loop).result()
    try:
        yield LossyLink(f"redis://127.0.0.1:{link.port}/0", link, loop)
    finally:
        asyncio.run_coroutine_threadsafe(link.cut(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
