"""What every CPU worker does, whichever carrier tells it to."""

from cpu_worker.follow_ups import FollowUps
from cpu_worker.housekeeping import Housekeeper
from cpu_worker.retention import Retention
from cpu_worker.thumbnails import Thumbnailer
from cpu_worker.unused_inputs import remove_unused_inputs
from cpu_worker.upscaling.orders import UpscaleOrders
from cpu_worker.webhooks.payload import payload
from cpu_worker.webhooks.sender import WebhookSender
from cpu_worker.webhooks.thread import WebhookThread
from darkroom.fetching.guarded_post import GuardedPost
from darkroom.job_store.inputs import InputRecords
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.job_store.webhooks.deliveries import Deliveries
from darkroom.job_store.webhooks.signing_secrets import SigningSecrets
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import Settings
from storage.contract import Storage

CONCURRENCY = 4


class Duties:
    """Touches no network until something is to be done."""

    def __init__(self, client: Client, settings: Settings, storage: Storage, wakeups: Wakeups) -> None:
        self._client = client
        self._storage = storage
        store, upkeep = JobStore(client, settings), Upkeep(client, settings)
        self._follow_ups = FollowUps(UpscaleOrders(store, wakeups), Thumbnailer(store, upkeep, storage))
        self._housekeeper = Housekeeper(upkeep, storage, wakeups)
        self._retention = Retention(upkeep, store, storage)
        self._webhooks = WebhookSender(
            Deliveries(client),
            SigningSecrets(client),
            store,
            lambda delivery, job: payload(delivery, job, storage, settings),
            GuardedPost(settings.fetch_origins),
        )

    def follow_up(self, job_id: str) -> None:
        """Safe to run twice."""
        self._follow_ups.follow_up(job_id)

    def keep_house(self) -> None:
        """Raises RedisUnavailable, BrokerUnavailable; the next round goes on from there."""
        self._housekeeper.keep_house_in_turn()

    def clear_storage(self) -> None:
        """Apart from the rest, since it may hang. Raises RedisUnavailable, StorageUnavailable like it."""
        self._housekeeper.clear_leftovers()
        self._retention.remove_old_jobs()
        remove_unused_inputs(InputRecords(self._client), self._storage)

    def webhooks(self) -> WebhookThread:
        """Sends what is due from its start to its stop, by an event loop of its own."""
        return WebhookThread(self._webhooks)
