"""Ends beat with its worker.

Celery's `-B` forks beat off the worker. A worker that is killed with SIGKILL cannot end it, so it would go on sending
tasks beside the beat of the next worker, one more with each kill. Where the parent is gone, the kernel gives a process
a new one: that is looked for, since PR_SET_PDEATHSIG is Linux's alone.
"""

import os
import signal
import threading
import time

PERIOD_S = 1.0


def end_with_parent() -> None:
    """To be called in the child. Ends this process, by SIGTERM, within a second or so of its parent's end."""
    threading.Thread(target=_watch, args=(os.getppid(),), name="end-with-parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PERIOD_S)
    os.kill(os.getpid(), signal.SIGTERM)
