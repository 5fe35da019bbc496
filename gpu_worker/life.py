"""A GPU worker process from its start, when it loads its models, to its end. Celery calls it; it knows no Celery."""

import threading
from collections.abc import Iterable

import structlog

from darkroom.catalogue import ModelCard, read_catalogue
from darkroom.claims import Claims
from darkroom.errors import Misconfigured
from darkroom.presence import Reporter, WorkerInfo
from darkroom.redis_client import connect
from darkroom.settings import Settings
from darkroom.wakeups import Wakeups
from gpu_worker.delivery import Delivery
from gpu_worker.lanes import Lanes
from gpu_worker.leases import LeaseKeeper
from gpu_worker.node import Node
from models.device import choose_device
from storage.opening import open_storage

log = structlog.get_logger()


class Life:
    """Made when the worker's module is imported. `node` is filled in by `start`, before the first message is taken."""

    node: Node

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._grace: threading.Timer | None = None
        self._presence: Reporter | None = None

    def start(self, models: Iterable[str], name: str, wakeups: Wakeups) -> None:
        """Load and warm the models. Raises Misconfigured, WeightsMissing, WeightsRefused."""
        settings = self._settings
        cards = [self._card(model) for model in models]
        client = connect(settings.redis_url)
        claims = Claims(client, settings)
        delivery = Delivery(open_storage(settings), claims, wakeups, settings, self._stopping)
        device = choose_device(settings.device)
        lanes = {card.id: Lanes.load(card, device, settings) for card in cards}
        leases = LeaseKeeper(claims, settings)
        self.node = Node(name, lanes, claims, wakeups, leases, delivery, self._stopping)
        info = WorkerInfo(name, "gpu", list(lanes), lanes=settings.lanes * len(lanes), device=device.name)
        self._presence = Reporter(client, info)
        leases.start()
        self._presence.start()
        log.info("worker.ready", models=info.models, device=info.device, lanes=info.lanes)

    def drain(self) -> None:
        """Jobs may finish within the grace period; after it, they are given back at their next step."""
        if self._grace is None:
            self._grace = threading.Timer(self._settings.grace_s, self._stopping.set)
            self._grace.daemon = True
            self._grace.start()

    def stop(self) -> None:
        """Harmless where nothing was started."""
        self._stopping.set()
        if self._grace:
            self._grace.cancel()
        if self._presence:
            self._presence.stop()
            self.node.leases.stop()

    def _card(self, model: str) -> ModelCard:
        catalogue = read_catalogue(self._settings.catalogue)
        if model not in catalogue:
            raise Misconfigured(f"The catalogue has no model {model!r}. It has: {', '.join(catalogue)}.")
        return catalogue[model]
