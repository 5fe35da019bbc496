"""A job whose images are drawn, on its way to storage."""

from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from darkroom.errors import DeliveryFailed
from darkroom.jobs import Job, StoredImage
from gpu_worker.jobs.leases import Hold

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(eq=False)
class Parcel:
    """Made by a lane. What keeps the job's lease goes along: `lease_stack`, closed when the job has ended.

    One thread at a time has it. `images` is what has yet to be encoded, `unsent` what is encoded and has yet to be
    stored; `packed` lists all that was encoded.
    """

    hold: Hold
    images: "list[Image]"
    lease_stack: ExitStack = field(default_factory=ExitStack)
    packed: list[StoredImage] = field(default_factory=list)
    unsent: deque[tuple[StoredImage, bytes]] = field(default_factory=deque)
    is_touched: bool = False
    """Something of it may be in storage; set by whoever stores."""
    patient_until_s: float = 0.0
    given_up: DeliveryFailed | None = None
    """Both set by the outbox."""

    @property
    def job(self) -> Job:
        return self.hold.job

    @property
    def drawn_bytes(self) -> int:
        return sum(image.width * image.height * len(image.getbands()) for image in self.images)

    def check(self) -> None:
        """Raises JobTaken, DeadlineExceeded, DeliveryFailed."""
        self.hold.check()
        if self.given_up:
            raise self.given_up

    def is_over(self) -> bool:
        return self.given_up is not None or self.hold.is_over()
