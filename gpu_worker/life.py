"""A GPU worker process from its start, when it loads its models, to its end. Celery calls it; it knows no Celery."""

import os
import signal
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import structlog

from darkroom.catalogue import ModelCard, read_catalogue
from darkroom.claims import Claims
from darkroom.errors import BrokerUnavailable, Misconfigured, RedisUnavailable
from darkroom.presence import Reporter, WorkerInfo
from darkroom.redis_client import connect
from darkroom.settings import Settings
from darkroom.wakeups import Wakeups
from gpu_worker.abandon import abandon
from gpu_worker.delivery import Delivery
from gpu_worker.leases import LeaseKeeper
from gpu_worker.node import Node
from gpu_worker.progress import ProgressWriter
from gpu_worker.watchdog import Forward, Watchdog
from models.device import Device, choose_device
from storage.opening import open_storage

if TYPE_CHECKING:
    from gpu_worker.batching.engine import Engine

log = structlog.get_logger()

# Rows in a forward of a shape that the warm-up did not meet.
UNMEASURED_ROWS = 8
# Wake-ups that a worker leaves behind for a model; the housekeeper sends what is missing.
MOST_PASSED_ON = 100
# For whoever supervises this process: an internal error, start another (EX_SOFTWARE of sysexits.h).
HUNG = 70


class Life:
    """Made when the worker's module is imported. `start` fills in `node` and `engine`, before a message is taken."""

    node: Node
    engine: "Engine"

    def __init__(self, settings: Settings, exit_at_once: Callable[[int], object] = os._exit) -> None:
        self._settings = settings
        self._exit_at_once = exit_at_once
        self._draining = threading.Event()
        self._stopping = threading.Event()
        self._grace: threading.Timer | None = None
        self._presence: Reporter | None = None
        self._watchdog: Watchdog | None = None

    def start(self, models: Iterable[str], name: str, wakeups: Wakeups) -> None:
        """Load and warm the models. Raises Misconfigured, WeightsMissing, WeightsRefused."""
        settings = self._settings
        cards = [self._card(model) for model in models]
        client = connect(settings.redis_url)
        claims = Claims(client, settings)
        delivery = Delivery(open_storage(settings), claims, wakeups, settings, self._stopping)
        device = choose_device(settings.device)
        # torch takes seconds to import, so that comes after all that can be wrong with the settings.
        from gpu_worker.loading import load_lanes

        self.engine = self._start_engine(device)
        lanes = {card.id: load_lanes(card, device, self.engine, settings) for card in cards}
        leases, progress = LeaseKeeper(claims, settings), ProgressWriter(claims)
        self.node = Node(name, lanes, claims, wakeups, leases, progress, delivery, self._draining, self._stopping)
        info = WorkerInfo(name, "gpu", list(lanes), lanes=settings.lanes, device=device.name)
        self._presence = Reporter(client, info)
        leases.start()
        progress.start()
        self._presence.start()
        self._watchdog = Watchdog(self.engine.forward, self._abandon, settings.watchdog_s)
        self._watchdog.start()
        log.info("worker.ready", models=info.models, device=info.device, lanes=info.lanes)

    def _start_engine(self, device: Device) -> "Engine":
        from gpu_worker.batching.engine import Engine
        from gpu_worker.batching.knees import Knees

        engine = Engine(Knees(UNMEASURED_ROWS), device.name, on_death=self._end)
        engine.start()
        return engine

    def _pass_on(self) -> None:
        """Wake others for the jobs that wait: their wake-ups may have come here, while lanes were busy or closing."""
        try:
            for model in self.node.lanes:
                for _ in range(min(self.node.claims.waiting(model), MOST_PASSED_ON)):
                    self.node.wakeups.wake(model)
        except (RedisUnavailable, BrokerUnavailable) as error:
            log.warning("wakeup.not_published", reason=error.message)  # the housekeeper tops it up

    def _end(self, _error: BaseException) -> None:
        """The device is lost to this process: jobs go back, and whoever supervises it starts another."""
        self._stopping.set()
        os.kill(os.getpid(), signal.SIGTERM)

    def _abandon(self, forward: Forward) -> None:
        """The thread of the networks cannot be ended, so the process is, without waiting for any of its threads."""
        log.error(
            "engine.hung", limit_s=self._settings.watchdog_s, jobs=sorted(forward.jobs), stack=self.engine.stack()
        )
        self._draining.set()
        try:
            abandon(self.node, forward.jobs)
        finally:
            self._exit_at_once(HUNG)

    def drain(self) -> None:
        """Jobs may finish within the grace period; after it, they are given back at their next step."""
        if self._grace is None:
            self._grace = threading.Timer(self._settings.grace_s, self._stopping.set)
            self._grace.daemon = True
            self._grace.start()
        self._draining.set()

    def stop(self) -> None:
        """Harmless where nothing was started."""
        self._stopping.set()
        if self._grace:
            self._grace.cancel()
        if self._presence:
            self._pass_on()
            self._presence.stop()
            if self._watchdog:
                self._watchdog.stop()
            self.node.progress.stop()
            self.node.leases.stop()
            self.engine.stop()

    def _card(self, model: str) -> ModelCard:
        catalogue = read_catalogue(self._settings.catalogue)
        if model not in catalogue:
            raise Misconfigured(f"The catalogue has no model {model!r}. It has: {', '.join(catalogue)}.")
        return catalogue[model]
