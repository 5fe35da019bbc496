"""A worker whose tasks say in a folder that they began, and end when they are told so there. It needs no GPU.

Its Celery application is the one of all workers; DARKROOM_TEST_FOLDER says where the folder is.
"""

import os
import time
from pathlib import Path

from darkroom.messages.celery_app import make_app
from darkroom.settings import read_settings

FOLDER = Path(os.environ["DARKROOM_TEST_FOLDER"])
PATIENCE_S = 60

app = make_app(read_settings(), served=["held"])


@app.task(name="hold")  # type: ignore[untyped-decorator]
def hold(name: str) -> None:
    """Until there is a file `NAME.end`."""
    (FOLDER / f"{name}.began").write_text(str(time.time()))
    until = time.monotonic() + PATIENCE_S
    while not (FOLDER / f"{name}.end").exists() and time.monotonic() < until:
        time.sleep(0.005)
