"""Webhooks as receivers get them: signed, again and again until they are taken, whatever others do meanwhile."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from cpu_worker.webhooks.payload import MOST_BYTES, payload
from cpu_worker.webhooks.sender import WebhookSender
from darkroom.client import verify_webhook
from darkroom.errors import UrlForbidden, UrlUnreachable
from darkroom.fetching.guarded_post import Answered, GuardedPost
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.job_store.webhooks.deliveries import Deliveries
from darkroom.job_store.webhooks.signing_secrets import SigningSecrets
from darkroom.jobs import Job, StoredImage
from darkroom.settings import Settings
from darkroom.webhooks.delivery import Delivery, Webhook
from storage.opening import open_storage
from tests.conftest import MakeRequest


@dataclass
class Receiver:
    """Answers as it is told, and keeps what came."""

    answers: list[Answered | Exception] = field(default_factory=list)
    got: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answered:
        self.got.append((url, body, headers))
        answer = self.answers.pop(0) if self.answers else Answered(204)
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass(frozen=True)
class House:
    store: JobStore
    claims: Claims
    client: Client
    settings: Settings
    request_of: MakeRequest

    @property
    def deliveries(self) -> Deliveries:
        return Deliveries(self.client)

    def end_a_job(self, url: str = "https://shop.example/hook", images: int = 1, owner: str = "alice") -> Job:
        self.store.enqueue(owner, self.request_of(prompt="a secret garden"), webhook=Webhook(url))
        job = self.claims.claim_next("minilab", "w")
        assert job
        self.claims.succeed(job, [_image(job, index) for index in range(images)])
        return job

    def sender(self, post: object, *, chance: float = 0) -> WebhookSender:
        storage = open_storage(self.settings)

        def said(delivery: Delivery, job: Job) -> str:
            return payload(delivery, job, storage, self.settings)

        secrets = SigningSecrets(self.client)
        return WebhookSender(self.deliveries, secrets, self.store, said, post, lambda: chance)  # type: ignore[arg-type]

    def due_in_s(self, job: Job) -> float | None:
        due_ms = self.client.zscore(keys.WEBHOOKS_DUE(), f"{job.id} succeeded")
        return None if due_ms is None else due_ms / 1000 - self.client.time()[0]

    def make_due(self) -> None:
        for member in self.client.zrange(keys.WEBHOOKS_DUE(), 0, -1):
            self.client.zadd(keys.WEBHOOKS_DUE(), {member: 0})


def _image(job: Job, index: int) -> StoredImage:
    return StoredImage(
        key=f"jobs/{job.id}/{index}.png", content_type="image/png", width=8, height=8, bytes=9, sha256="0" * 64,
        index=index, seed=7 + index,
    )  # fmt: skip


@pytest.fixture
def house(store: JobStore, claims: Claims, client: Client, settings: Settings, request_of: MakeRequest) -> House:
    return House(store, claims, client, settings, request_of)


def send_due(sender: WebhookSender) -> None:
    async def once() -> None:
        await sender.start_due()
        await sender.finish()

    asyncio.run(once())


def test_what_is_sent_is_signed_and_says_how_the_job_ended(house: House) -> None:
    receiver = Receiver()
    job = house.end_a_job(images=2)

    send_due(house.sender(receiver))

    [(url, body, headers)] = receiver.got
    said = verify_webhook(SigningSecrets(house.client).of("alice").current, body, headers)
    assert url == "https://shop.example/hook"
    assert headers["webhook-id"] == f"msg_{job.id}_succeeded"
    assert (said["type"], said["data"]["id"], said["data"]["status"]) == ("job.succeeded", job.id, "succeeded")
    assert [image["seed"] for image in said["data"]["images"]] == [7, 8]
    assert "/files/jobs/" in said["data"]["images"][0]["url"]
    assert b"secret garden" not in body
    assert house.due_in_s(job) is None
    assert house.deliveries.of_job(job.id)[0].state == "delivered"


def test_after_a_rotation_both_secrets_verify_it(house: House) -> None:
    receiver, secrets = Receiver(), SigningSecrets(house.client)
    old = secrets.of("alice").current
    new = secrets.rotate("alice").current
    house.end_a_job()

    send_due(house.sender(receiver))

    [(_, body, headers)] = receiver.got
    assert verify_webhook(old, body, headers) == verify_webhook(new, body, headers)


def test_a_payload_stays_under_its_bound_however_many_images_there_are(house: House) -> None:
    receiver = Receiver()
    house.end_a_job(images=64)

    send_due(house.sender(receiver))

    [(_, body, _)] = receiver.got
    assert len(body) < MOST_BYTES
    assert json.loads(body)["data"]["images"] is None


@pytest.mark.parametrize(
    ("answer", "due_s"),
    [
        (Answered(500), 5), (Answered(302), 5), (Answered(404), 5), (Answered(429, 60.0), 60), (Answered(503, 2.0), 5),
        (UrlUnreachable("No answer."), 5),
    ],
)  # fmt: skip
def test_what_was_not_taken_is_tried_again_under_the_same_id(
    answer: Answered | Exception, due_s: float, house: House
) -> None:
    receiver = Receiver([answer])
    job = house.end_a_job()

    send_due(house.sender(receiver))

    assert house.due_in_s(job) == pytest.approx(due_s, abs=1.5)
    house.make_due()
    send_due(house.sender(receiver))
    first, second = receiver.got
    assert first[2]["webhook-id"] == second[2]["webhook-id"]
    assert house.deliveries.of_job(job.id)[0].state == "delivered"


def test_it_is_given_up_after_a_day_of_failures(house: House) -> None:
    receiver = Receiver([Answered(500)] * 20)
    job = house.end_a_job()

    for _ in range(10):
        house.make_due()
        send_due(house.sender(receiver))

    [log] = house.deliveries.of_job(job.id)
    assert (log.state, len(receiver.got)) == ("failed", 8)


def test_who_is_gone_gets_no_others(house: House) -> None:
    receiver = Receiver([Answered(410)])
    first = house.end_a_job()
    send_due(house.sender(receiver))
    second, elsewhere = house.end_a_job(), house.end_a_job("https://other.example/hook")

    send_due(house.sender(receiver))

    states = [house.deliveries.of_job(job.id)[0].state for job in (first, second, elsewhere)]
    assert states == ["disabled", "disabled", "delivered"]
    assert len(receiver.got) == 2


def test_a_url_that_leads_inside_is_given_up_at_once(house: House) -> None:
    job = house.end_a_job()

    send_due(house.sender(Receiver([UrlForbidden("It leads inside.")])))

    [log] = house.deliveries.of_job(job.id)
    assert (log.state, log.tries[0].reason) == ("failed", "It leads inside.")
    assert house.due_in_s(job) is None


def test_one_whose_sender_was_killed_is_sent_by_another(house: House) -> None:
    job = house.end_a_job()
    assert house.deliveries.take(1)
    receiver = Receiver()
    send_due(house.sender(receiver))
    assert receiver.got == []

    house.make_due()  # a minute later
    send_due(house.sender(receiver))

    assert len(receiver.got) == 1
    assert house.due_in_s(job) is None


Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(answer: Answering) -> AsyncIterator[str]:
    async def answer_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        finally:  # also where the loop ends while it hangs
            writer.close()

    server = await asyncio.start_server(answer_and_close, "127.0.0.1", 0, backlog=600)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"http://127.0.0.1:{port}"


async def _take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    await writer.drain()


async def _hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _lie(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n" + b"x" * 70_000)
    await writer.drain()


async def _babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"GO AWAY\r\n\r\n")
    await writer.drain()


@pytest.mark.parametrize(("answer", "status"), [(_take, 204), (_lie, 200)])
def test_an_answer_s_status_is_all_that_is_read(answer: Answering, status: int) -> None:
    async def post() -> Answered:
        async with listening(answer) as url:
            return await GuardedPost((url,)).post(url, b"{}", {})

    assert asyncio.run(post()).status == status


@pytest.mark.parametrize("answer", [_hang, _babble])
def test_who_hangs_or_speaks_no_http_gave_no_answer(answer: Answering) -> None:
    async def post() -> Answered:
        async with listening(answer) as url:
            return await GuardedPost((url,), timeout_s=0.2).post(url, b"{}", {})

    with pytest.raises(UrlUnreachable):
        asyncio.run(post())


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"])
def test_a_name_that_leads_inside_is_not_sent_to(address: str) -> None:
    async def to_inside(host: str, port: int) -> list[str]:
        return ["93.184.216.34", address]

    with pytest.raises(UrlForbidden):
        asyncio.run(GuardedPost(resolver=to_inside).post("https://shop.example/hook", b"{}", {}))


GOOD_RECEIVERS = 10
HANGS_S = 120.0


def test_a_hundred_that_hang_cost_four_hundred_others_nothing(house: House) -> None:
    """Fifty of them hold a place at a time; the others are through long before the first of those gives up."""

    async def send(bad: str, good: list[str]) -> float:
        for number in range(500):
            url = bad if number % 5 == 0 else good[number % GOOD_RECEIVERS]
            house.end_a_job(url, images=0, owner=f"owner-{number % 40}")
        sender = house.sender(GuardedPost((bad, *good), timeout_s=HANGS_S))
        began = time.monotonic()
        while _states(house)["delivered"] < 400:
            await sender.start_due()
            await asyncio.sleep(0.05)
            assert time.monotonic() - began < HANGS_S
        return time.monotonic() - began

    async def run() -> float:
        async with AsyncExitStack() as ending:
            bad = await ending.enter_async_context(listening(_hang))
            good = [await ending.enter_async_context(listening(_take)) for _ in range(GOOD_RECEIVERS)]
            return await send(bad, good)

    taken_s = asyncio.run(run())

    print(f"400 webhooks beside 100 that hang: {taken_s:.1f} s")
    assert _states(house) == {"delivered": 400, "due": 100}
    assert taken_s < HANGS_S / 2


def _states(house: House) -> Counter[str]:
    """One that was never tried has none yet."""
    names = house.client.keys(keys.WEBHOOK("*", "*"))
    return Counter(house.client.hget(name, "state") or "due" for name in names)
