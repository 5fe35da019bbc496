"""Where drawn jobs wait to be encoded and stored, so that no lane does; and the threads that do both."""

import os
import random
import threading
import time
from collections import deque
from collections.abc import Callable

import structlog

from darkroom.errors import DeliveryFailed, Unavailable
from gpu_worker.delivery.backpressure import Backpressure
from gpu_worker.delivery.upload import Parcel, Uploader

log = structlog.get_logger()

# With all of them hanging, there are threads left to encode, and to end jobs that are not wanted any more.
MOST_SENDING = 4
# Encoders leave Python's lock while they encode, and on a GPU worker nobody else needs the cores.
THREADS = MOST_SENDING + max(2, os.cpu_count() or 1)
# What waits is looked through this often for such jobs.
LOOK_S = 1.0
# Between tries while storage is away: at first, at most, and after how many doublings that is reached.
FIRST_S = 0.2
LONGEST_S = 5.0
DOUBLINGS = 5

Task = Callable[[], None]


class Outbox:
    """Hands out tasks: let go a job that is not wanted any more, encode one, or store one, in this order.

    A parcel that storage does not take goes to the end of the line, so that none holds up the others.
    """

    def __init__(
        self,
        uploader: Uploader,
        backpressure: Backpressure,
        patience_s: float,
        clock: Callable[[], float] = time.monotonic,
        look_s: float = LOOK_S,
    ) -> None:
        self.backpressure = backpressure
        self._uploader = uploader
        self._patience_s = patience_s
        self._clock = clock
        self._look_s = look_s
        self._backoff = Backoff(clock)
        self._over: deque[Parcel] = deque()
        self._drawn: deque[Parcel] = deque()
        self._packed: deque[Parcel] = deque()
        self._parcels = 0  # those in a thread's hands too
        self._sending = 0
        self._look_at_s = 0.0
        self._is_closed = False
        self._changed = threading.Condition()

    def add(self, parcel: Parcel) -> None:
        """Returns at once. From here on the parcel is not the caller's."""
        parcel.patient_until_s = self._clock() + self._patience_s
        self.backpressure.drawn(parcel.drawn_bytes)
        with self._changed:
            self._drawn.append(parcel)
            self._parcels += 1
            self._changed.notify()
        self.backpressure.look()

    def wait_until_empty(self) -> None:
        """Until every job is delivered, or ended otherwise."""
        with self._changed:
            self._changed.wait_for(lambda: not self._parcels)

    def close(self) -> None:
        """No task is handed out any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def task(self) -> Task | None:
        """What is to be done now, if anything is."""
        with self._changed:
            return self._choose()

    def next_task(self) -> Task | None:
        """Waits for one. None: the outbox is closed."""
        with self._changed:
            while not self._is_closed:
                if task := self._choose():
                    return task
                self._changed.wait(self._look_s if self._parcels else None)
        return None

    def _choose(self) -> Task | None:
        self._set_aside()
        if self._over:
            over = self._over.popleft()
            return lambda: self._let_go(over)
        if self._drawn:
            drawn = self._drawn.popleft()
            return lambda: self._pack(drawn)
        if self._packed and self._sending < MOST_SENDING and self._backoff.may_try():
            self._backoff.began()
            self._sending += 1
            packed = self._packed.popleft()
            return lambda: self._send(packed)
        return None

    def _set_aside(self) -> None:
        """Find the jobs that were canceled or lost, that are past their deadline, or that this worker gives back."""
        if self._clock() < self._look_at_s and not self._uploader.is_stopping:
            return
        self._look_at_s = self._clock() + self._look_s
        for line in (self._drawn, self._packed):
            over = [parcel for parcel in line if self._uploader.is_stopping or parcel.is_over()]
            self._over.extend(over)
            for parcel in over:
                line.remove(parcel)

    def _let_go(self, parcel: Parcel) -> None:
        try:
            self._uploader.let_go(parcel)
        finally:
            self._done(parcel)

    def _pack(self, parcel: Parcel) -> None:
        drawn_bytes, is_packed = parcel.drawn_bytes, False
        try:
            is_packed = self._uploader.pack(parcel)
        finally:
            self.backpressure.drawn(-drawn_bytes)
            if not is_packed:
                self._done(parcel)
        if is_packed:
            with self._changed:
                self._packed.append(parcel)
                self._changed.notify()
            self.backpressure.look()

    def _send(self, parcel: Parcel) -> None:
        began_s, is_done = self._clock(), True
        try:
            if self._uploader.send(parcel):
                self._worked()
        except Unavailable as failure:
            is_done = False
            self._put_off(parcel, failure, began_s)
        finally:
            with self._changed:
                self._sending -= 1
            if is_done:
                self._done(parcel)

    def _worked(self) -> None:
        with self._changed:
            if self._backoff.failures:
                log.info("delivery.resumed", waiting=self._parcels)
            self._backoff.worked()

    def _put_off(self, parcel: Parcel, failure: Unavailable, began_s: float) -> None:
        """A try that failed speaks for all that wait: those whose time was over before it began are given up."""
        with self._changed:
            self._backoff.failed()
            self._packed.append(parcel)
            for late in [late for late in self._packed if late.patient_until_s <= began_s]:
                late.given_up = _given_up(failure, self._patience_s)
            self._look_at_s = 0.0
            log.warning(
                "delivery.put_off",
                code=failure.code,
                reason=failure.message,
                failures=self._backoff.failures,
                waiting=self._parcels,
            )
        self.backpressure.look()

    def _done(self, parcel: Parcel) -> None:
        self._uploader.close(parcel)
        with self._changed:
            self._parcels -= 1
            self._changed.notify_all()
        self.backpressure.look()


def _given_up(failure: Unavailable, patience_s: float) -> DeliveryFailed:
    return DeliveryFailed(f"The images were made, but could not be delivered for {patience_s:g} s: {failure.message}")


class Backoff:
    """When to try again while storage is away: a try now and then speaks for all that wait."""

    def __init__(self, clock: Callable[[], float], chance: Callable[[], float] = random.random) -> None:
        """`chance` gives 0 to 1: workers that met the same outage must not all come back at the same moment."""
        self._clock = clock
        self._chance = chance
        self._resume_s = 0.0
        self.failures = 0

    def may_try(self) -> bool:
        return not self.failures or self._clock() >= self._resume_s

    def began(self) -> None:
        """A try that hangs must neither keep the next from its turn, nor let all follow it at once."""
        if self.failures:
            self._pause()

    def failed(self) -> None:
        self.failures += 1
        self._pause()

    def worked(self) -> None:
        self.failures = 0

    def _pause(self) -> None:
        pause_s = min(LONGEST_S, FIRST_S * 2 ** min(self.failures - 1, DOUBLINGS))
        self._resume_s = self._clock() + pause_s * (0.5 + 0.5 * self._chance())


class UploadThreads:
    """Run the outbox's tasks."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._threads = [
            threading.Thread(target=self._run, name=f"upload-{number}", daemon=True) for number in range(THREADS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """One that hangs in storage is left behind; what it would write is refused."""
        self._outbox.close()
        for thread in self._threads:
            thread.join(timeout=LOOK_S)

    def _run(self) -> None:
        while task := self._outbox.next_task():
            try:
                task()
            except Exception:
                # Without these threads, every image would wait until its job is lost.
                log.exception("upload.thread_failed")
