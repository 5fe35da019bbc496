"""The feed of events in one event loop: nobody goes unheard, nothing stays behind, and Redis may go and come back."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import redis

from darkroom.job_store import keys
from darkroom.job_store.events import EventFeed
from darkroom.job_store.redis_client import Client
from tests.eventually import eventually
from tests.redis_of_our_own import redis_of_our_own

SOON_S = 10


async def heard(word: asyncio.Event) -> None:
    """Not by looking again now and then, but because something was said."""
    await asyncio.wait_for(word.wait(), SOON_S)
    word.clear()


def test_watchers_that_come_at_once_are_all_heard(redis_url: str, client: Client) -> None:
    async def scenario() -> None:
        feed = EventFeed(redis_url)
        with ExitStack() as watched:
            words = [watched.enter_context(feed.watch(f"job-{number}")) for number in range(50)]
            await asyncio.gather(*map(heard, words))  # each is subscribed now

            for number in range(50):
                client.publish(keys.CHANGED(f"job-{number}"), "step")

            await asyncio.gather(*map(heard, words))
        await feed.close()

    asyncio.run(scenario())


def test_one_word_reaches_every_watcher_of_its_job_and_no_other(redis_url: str, client: Client) -> None:
    async def scenario() -> None:
        feed = EventFeed(redis_url)
        with feed.watch("a") as first, feed.watch("a") as second, feed.watch("b") as other:
            await asyncio.gather(heard(first), heard(second), heard(other))

            client.publish(keys.CHANGED("a"), "step")

            await asyncio.gather(heard(first), heard(second))
            assert not other.is_set()
        await feed.close()

    asyncio.run(scenario())


def test_watchers_that_come_and_go_share_one_connection_and_leave_nothing(redis_url: str, client: Client) -> None:
    async def scenario() -> None:
        feed = EventFeed(redis_url)

        async def visit(number: int) -> None:
            with feed.watch(f"job-{number % 7}") as word:
                await heard(word)

        with feed.watch("always") as always:
            await heard(always)
            # Rounds, so that channels are left and taken up again while words are being read.
            for _ in range(20):
                await asyncio.gather(*(asyncio.wait_for(visit(number), SOON_S) for number in range(7)))
            assert len(client.client_list(_type="pubsub")) == 1
        assert feed.watchers == 0
        await feed.close()

    asyncio.run(scenario())
    # Redis may notice a little later that a connection was closed.
    eventually(lambda: not client.pubsub_channels())


def test_a_watcher_hears_again_after_redis_was_away(tmp_path: Path) -> None:
    with redis_of_our_own(tmp_path / "redis") as server:

        async def scenario() -> None:
            feed = EventFeed(server.url)
            with feed.watch("a") as word:
                await heard(word)
                server.process.stop()
                server.process.start()
                await heard(word)  # it is subscribed again, and shall look at what it missed

                with redis.Redis.from_url(server.url) as client:
                    client.publish(keys.CHANGED("a"), "step")

                await heard(word)
            await feed.close()

        asyncio.run(scenario())


def test_a_watch_may_begin_while_redis_is_away(tmp_path: Path) -> None:
    with redis_of_our_own(tmp_path / "redis") as server:

        async def scenario() -> None:
            server.process.stop()
            feed = EventFeed(server.url)
            with feed.watch("a") as word:
                server.process.start()
                await heard(word)
            await feed.close()

        asyncio.run(scenario())


def test_a_connection_that_is_cut_is_opened_anew(redis_url: str, client: Client) -> None:
    async def scenario() -> None:
        feed = EventFeed(redis_url)
        with feed.watch("a") as word:
            await heard(word)

            client.client_kill_filter(_type="pubsub")

            await heard(word)
        await feed.close()

    asyncio.run(scenario())
