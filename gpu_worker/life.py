"""A GPU worker process from its start, when it loads its models, to its end. Knows no carrier; an entry point calls."""

import os
import signal
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import structlog

from darkroom.catalogue import ModelCard, read_catalogue
from darkroom.errors import Misconfigured
from darkroom.job_store.claims import Claims
from darkroom.job_store.presence import Reporter
from darkroom.job_store.redis_client import connect
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import Settings
from darkroom.workers import WorkerInfo
from gpu_worker.delivery.backpressure import Backpressure
from gpu_worker.delivery.outbox import Outbox, UploadThreads
from gpu_worker.delivery.upload import Uploader
from gpu_worker.drain import Drain, give_back
from gpu_worker.engine.watchdog import Forward, Watchdog
from gpu_worker.jobs.input_reader import InputReader
from gpu_worker.jobs.lanes import LineBell
from gpu_worker.jobs.leases import LeaseKeeper
from gpu_worker.jobs.progress import ProgressWriter
from gpu_worker.node import Node
from models.device import Device, choose_device
from models.weights import find_weights
from storage.opening import open_storage

if TYPE_CHECKING:
    from gpu_worker.engine.engine import Engine

log = structlog.get_logger()

# Read by OpenMP when torch is loaded, later. Idle threads that spin make everything slower, themselves above all,
# as soon as anything else runs on the machine: 100 s instead of 10 s for the same images on two shared cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Otherwise it says at each start which image processors would like torchvision; few pipelines have any.
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

# Rows in a forward of a shape that the warm-up did not meet.
UNMEASURED_ROWS = 8
# For whoever supervises this process: an internal error, start another (EX_SOFTWARE of sysexits.h).
HUNG = 70


class Life:
    """Made when the worker's module is imported. `start` fills in the rest, before a message is taken."""

    node: Node
    engine: "Engine"
    _upload_threads: UploadThreads

    def __init__(self, settings: Settings, exit_at_once: Callable[[int], object] = os._exit) -> None:
        self._settings = settings
        self._exit_at_once = exit_at_once
        self._draining = threading.Event()
        self._stopping = threading.Event()
        self._is_leaving = False
        self._drain = Drain(settings.grace_s, self._draining, self._stopping, self._last_work, exit_at_once)
        self._presence: Reporter | None = None
        self._watchdog: Watchdog | None = None
        self._bell: LineBell | None = None

    def start(self, models: Iterable[str], name: str, wakeups: Wakeups) -> None:
        """Load and warm the models. Raises Misconfigured, WeightsMissing, WeightsRefused."""
        settings = self._settings
        cards = [self._card(model) for model in models]
        for card in cards:
            find_weights(card, settings.weights_dir)
        client = connect(settings.redis_url)
        claims = Claims(client, settings)
        storage = open_storage(settings)
        device = choose_device(settings.device)
        self._drain.start()  # before what may take minutes
        # torch takes seconds to import, so that comes after all that can be wrong with the settings.
        from gpu_worker.profiling.loading import load_lanes

        self.engine = self._start_engine(device)
        lanes = {card.id: load_lanes(card, device, self.engine, settings, InputReader(storage)) for card in cards}
        leases, progress = LeaseKeeper(claims, settings), ProgressWriter(claims)
        backpressure = Backpressure(settings.outbox_max_bytes)
        uploader = Uploader(storage, claims, wakeups, progress, backpressure, self._stopping)
        outbox = Outbox(uploader, backpressure, settings.delivery_patience_s)
        self.node = Node(name, lanes, claims, wakeups, leases, progress, outbox, self._draining, self._stopping)
        self._upload_threads = UploadThreads(outbox)
        # What they have, which may be fewer than were asked for.
        counts = {model: own.count for model, own in lanes.items()}
        most = max(counts.values(), default=0)
        fewer = {model: count for model, count in counts.items() if count < most}
        info = WorkerInfo(name, "gpu", list(lanes), most, device.name, fewer)
        self._presence = Reporter(client, info)
        leases.start()
        progress.start()
        self._upload_threads.start()
        self._presence.start()
        self._bell = LineBell(client, lanes)
        self._bell.start()
        self._watchdog = Watchdog(self.engine.forward, self._abandon, settings.watchdog_s)
        self._watchdog.start()
        log.info("worker.ready", models=info.models, device=info.device, lanes=info.lanes)

    def _start_engine(self, device: Device) -> "Engine":
        from gpu_worker.engine.engine import Engine
        from gpu_worker.engine.knees import Knees

        engine = Engine(Knees(UNMEASURED_ROWS), device.name, on_death=self._end)
        engine.start()
        return engine

    def _end(self, _error: BaseException) -> None:
        """The device is lost to this process: the engine refuses its lanes, so their jobs go back; what is drawn is
        delivered, and whoever supervises it starts another.
        """
        self._draining.set()
        os.kill(os.getpid(), signal.SIGTERM)

    def _abandon(self, forward: Forward) -> None:
        """The thread of the networks cannot be ended, so the process is, without waiting for any of its threads."""
        log.error(
            "engine.hung", limit_s=self._settings.watchdog_s, jobs=sorted(forward.jobs), stack=self.engine.stack()
        )
        self._draining.set()
        try:
            give_back(self.node, forward.jobs)
        finally:
            self._exit_at_once(HUNG)

    def drain(self) -> None:
        """Jobs may finish within the grace period; after it, or when told again, they are given back at once.

        Safe in a signal handler.
        """
        self._is_leaving = True
        self._drain.leave()

    def leave(self) -> None:
        """Drain, unless it was told to."""
        if not self._is_leaving:
            self.drain()

    def stop(self) -> None:
        """When no lane runs any more. Returns when what is drawn is delivered. Harmless where nothing was started."""
        if self._presence:
            self.leave()
            self._presence.stop()
            self.node.outbox.wait_until_empty()
            self._stop_threads()
        self._drain.left()

    def _stop_threads(self) -> None:
        self._stopping.set()
        self._upload_threads.stop()
        if self._bell:
            self._bell.stop()
        if self._watchdog:
            self._watchdog.stop()
        self.node.progress.stop()
        self.node.leases.stop()
        self.engine.stop()

    def _last_work(self) -> None:
        """What must be done by a process that cannot wait for its threads."""
        if self._presence:
            give_back(self.node)
            self._presence.stop()

    def _card(self, model: str) -> ModelCard:
        catalogue = read_catalogue(self._settings.catalogue)
        if model not in catalogue:
            raise Misconfigured(f"The catalogue has no model {model!r}. It has: {', '.join(catalogue)}.")
        return catalogue[model]
