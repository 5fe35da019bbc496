"""What every route may use, made once when the process starts."""

from dataclasses import dataclass
from typing import Annotated, cast

import structlog
from fastapi import Depends, Request

from api.health_checks import KEPT_S, Check, HealthChecks
from api.inputs.inputs import Inputs
from api.inputs.references import References, guarded
from api.removal import Remover
from api.withdrawals import Withdrawals
from darkroom.catalogue import Catalogue, read_catalogue
from darkroom.errors import RedisUnavailable
from darkroom.fetching.guarded_fetch import GuardedFetch
from darkroom.job_store.access.request_rate import RequestRate
from darkroom.job_store.access.stored_keys import StoredKeys
from darkroom.job_store.access.usage import Usage
from darkroom.job_store.events import EventFeed
from darkroom.job_store.inputs import InputRecords
from darkroom.job_store.key_use import KeyUse
from darkroom.job_store.presence import present
from darkroom.job_store.redis_client import Client, connect, redis_errors
from darkroom.job_store.store import JobStore
from darkroom.messages.opening import open_wakeups
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import Settings
from darkroom.workers import WorkerInfo
from storage.contract import Storage
from storage.opening import open_storage

log = structlog.get_logger()

# A listing a look, and those are paid for.
S3_OK_KEPT_S = 30.0


@dataclass(frozen=True)
class Services:
    settings: Settings
    catalogue: Catalogue
    redis: Client
    store: JobStore
    withdrawals: Withdrawals
    key_use: KeyUse
    stored_keys: StoredKeys
    request_rate: RequestRate
    usage: Usage
    feed: EventFeed
    wakeups: Wakeups
    storage: Storage
    remover: Remover
    health: HealthChecks
    inputs: Inputs

    def workers(self) -> list[WorkerInfo]:
        """Raises RedisUnavailable."""
        return present(self.redis)

    def note_key_use(self, name: str) -> None:
        """`darkroom keys` lists it. Not noted where Redis does not answer: nobody waits for it."""
        try:
            self.key_use.note(name)
        except RedisUnavailable:
            log.debug("key_use.not_noted")

    async def close(self) -> None:
        self.health.close()
        self.withdrawals.close()
        await self.feed.close()
        self.inputs.close()
        self.redis.close()


def make_services(settings: Settings) -> Services:
    """Touches no network. Raises Misconfigured."""
    client = connect(settings.redis_url)
    store, storage, wakeups = JobStore(client, settings), open_storage(settings), open_wakeups(settings)
    records = InputRecords(client)
    fetch = guarded(GuardedFetch(settings.fetch_origins), settings.max_upload_bytes)
    return Services(
        settings=settings,
        catalogue=read_catalogue(settings.catalogue),
        redis=client,
        store=store,
        withdrawals=Withdrawals(store),
        key_use=KeyUse(client),
        stored_keys=StoredKeys(client),
        request_rate=RequestRate(client),
        usage=Usage(client),
        feed=EventFeed(settings.redis_url),
        wakeups=wakeups,
        storage=storage,
        remover=Remover(store, storage),
        health=HealthChecks(
            {
                "redis": Check(lambda: _ping(client)),
                "broker": Check(wakeups.check),
                "storage": Check(storage.check, S3_OK_KEPT_S if settings.storage == "s3" else KEPT_S),
            }
        ),
        inputs=Inputs(References(records, store, storage, fetch), records, storage, settings),
    )


def _ping(client: Client) -> None:
    """Raises RedisUnavailable."""
    with redis_errors():
        client.ping()


def _services(request: Request) -> Services:
    return cast(Services, request.app.state.services)


ServicesDep = Annotated[Services, Depends(_services)]
