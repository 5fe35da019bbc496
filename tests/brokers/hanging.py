"""GPU workers as `gpu_worker.app` makes them, but for SIGUSR2, which hangs their networks for good.

Tests alone start them: there is nothing in the product that could be made to hang.
"""

import inspect
import signal
import threading
import time
from typing import Any

from celery import bootsteps

from gpu_worker.app import LoadModels, app, life


def hang(*_: object) -> None:
    """A call as lanes file them, that never ends: what was filed behind it waits in vain."""
    from gpu_worker.engine.call import Entry, Run

    entry = Entry("Hanging", "forward", lambda: threading.Event().wait(), inspect.signature(lambda: None))
    run = Run(0, 0.0, time.monotonic())
    threading.Thread(target=life.engine.run, args=(run, entry, (), {}), daemon=True).start()


class HearSignal(bootsteps.StartStopStep):  # type: ignore[misc]
    requires = (LoadModels,)

    def start(self, _worker: Any) -> None:
        signal.signal(signal.SIGUSR2, hang)


app.steps["worker"].add(HearSignal)
