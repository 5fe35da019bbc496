"""Draws and sends previews, from a thread of its own: no step waits for one, and no preview for an older one."""

import base64
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Protocol

import structlog
from PIL import Image

from darkroom.errors import JobTaken, RedisUnavailable
from darkroom.job_store.claims import Claims
from darkroom.jobs import Job

log = structlog.get_logger()

# The longer side. Smaller ones would lose their colours to compression.
SIDES = (128, 256)
# All pictures of a preview together, as sent. Where they are more, they get smaller.
MOST_CHARS = 65_536
# Jobs that have a preview waiting to be drawn. More than lanes can have, unless drawing is stuck.
MOST_WAITING = 1000
STOP_S = 2.0


Draw = Callable[[], Sequence[Image.Image]]
"""Gives small pictures, one for each image of a job."""


class Held(Protocol):
    """A job in this worker's hands."""

    @property
    def job(self) -> Job: ...
    def is_over(self) -> bool: ...


@dataclass(frozen=True)
class Preview:
    hold: Held
    step: int
    steps: int
    draw: Draw


class PreviewWriter:
    """Jobs take turns; of each job only the newest preview waits."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self._waiting: dict[int, Preview] = {}
        self._changed = threading.Condition()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="previews", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._thread.join(timeout=STOP_S)

    def note(self, preview: Preview) -> None:
        """Returns at once."""
        with self._changed:
            if len(self._waiting) < MOST_WAITING or id(preview.hold) in self._waiting:
                # In the place of an older one, so that a job of quick steps does not always go to the end.
                self._waiting[id(preview.hold)] = preview
            self._changed.notify_all()

    def forget(self, hold: Held) -> None:
        """This job is drawn: its image comes instead."""
        with self._changed:
            self._waiting.pop(id(hold), None)

    def _run(self) -> None:
        while preview := self._next():
            try:
                self._send(preview)
            except Exception:  # without this thread, nobody would see a preview again
                log.warning("preview.lost", job_id=preview.hold.job.id, step=preview.step, exc_info=True)

    def _next(self) -> Preview | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_stopped)
            return None if self._is_stopped else self._waiting.pop(next(iter(self._waiting)))

    def _send(self, preview: Preview) -> None:
        if preview.hold.is_over():
            return
        try:
            self._claims.preview(preview.hold.job, preview.step, preview.steps, data_urls(preview.draw()))
        except JobTaken:
            return  # its lane learns of it by itself
        except RedisUnavailable as error:
            log.warning("preview.lost", job_id=preview.hold.job.id, step=preview.step, reason=error.message)


def data_urls(pictures: Sequence[Image.Image]) -> list[str]:
    """WebP, as small as it takes for all of them to stay within MOST_CHARS."""
    least, most = SIDES
    while True:
        urls = [_data_url(_of_side(picture, min(most, max(least, *picture.size)))) for picture in pictures]
        if sum(map(len, urls)) <= MOST_CHARS or most <= 16:
            return urls
        least, most = min(least, most // 2), most // 2


def _of_side(picture: Image.Image, side: int) -> Image.Image:
    longest = max(picture.size)
    width, height = (max(1, round(length * side / longest)) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.BICUBIC)


def _data_url(picture: Image.Image) -> str:
    buffer = BytesIO()
    picture.save(buffer, "webp", quality=75, method=2)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
