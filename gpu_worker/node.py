"""What one GPU worker process holds: its models, their lanes, and its ties to the job store and to storage."""

import threading
from collections.abc import Iterable, Mapping

import structlog

from darkroom.catalogue import ModelCard, read_catalogue
from darkroom.celery_app import make_app
from darkroom.claims import Claims
from darkroom.errors import Misconfigured
from darkroom.presence import Reporter, WorkerInfo
from darkroom.redis_client import connect
from darkroom.settings import Settings
from darkroom.wakeups import Wakeups
from gpu_worker.delivery import Delivery
from gpu_worker.lanes import Lanes
from gpu_worker.leases import LeaseKeeper
from models.device import choose_device
from storage.opening import open_storage

log = structlog.get_logger()


class Node:
    """Made when the module is imported, filled in by `start`, which Celery calls before the first message."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.stopping = threading.Event()
        self.lanes: Mapping[str, Lanes] = {}
        self.name = ""
        self._grace: threading.Timer | None = None

    def start(self, models: Iterable[str], name: str) -> None:
        """Load and warm the models. Raises Misconfigured, WeightsMissing, WeightsRefused, RedisUnavailable."""
        settings = self._settings
        cards = [self._card(model) for model in models]
        client = connect(settings.redis_url)
        self.name = name
        self.claims = Claims(client, settings)
        self.wakeups = Wakeups(make_app(settings))
        self.delivery = Delivery(open_storage(settings), self.claims, self.wakeups, settings, self.stopping)
        device = choose_device(settings.device)
        self.lanes = {card.id: Lanes.load(card, device, settings) for card in cards}
        self.leases = LeaseKeeper(self.claims, settings)
        self.leases.start()
        info = WorkerInfo(
            name, "gpu", [card.id for card in cards], lanes=settings.lanes * len(cards), device=device.name
        )
        self._presence = Reporter(client, info)
        self._presence.start()
        log.info("worker.ready", models=info.models, device=info.device, lanes=info.lanes)

    def drain(self) -> None:
        """Jobs may finish within the grace period; after it, they are given back at their next step."""
        if self._grace is None:
            self._grace = threading.Timer(self._settings.grace_s, self.stopping.set)
            self._grace.daemon = True
            self._grace.start()

    def stop(self) -> None:
        self.stopping.set()
        if self._grace:
            self._grace.cancel()
        if self.lanes:
            self._presence.stop()
            self.leases.stop()

    def _card(self, model: str) -> ModelCard:
        catalogue = read_catalogue(self._settings.catalogue)
        if model not in catalogue:
            raise Misconfigured(f"The catalogue has no model {model!r}. It has: {', '.join(catalogue)}.")
        return catalogue[model]
