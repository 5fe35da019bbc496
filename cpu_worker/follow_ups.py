"""What a message for follow-up work leads to: jobs that upscale, and thumbnails; now, or later, if a part is away.

The store keeps which jobs are owed some, so messages need no care: what is put off here, the housekeeper sends again.
"""

import structlog

from cpu_worker.thumbnails import Thumbnailer
from cpu_worker.upscaling.orders import UpscaleOrders
from darkroom.errors import Unavailable

log = structlog.get_logger()


class FollowUps:
    def __init__(self, orders: UpscaleOrders, thumbnailer: Thumbnailer) -> None:
        self._orders = orders
        self._thumbnailer = thumbnailer

    def follow_up(self, job_id: str) -> None:
        """Safe to run twice."""
        try:
            # Thumbnails last: with them, nothing is owed any more.
            self._orders.place(job_id)
            self._thumbnailer.follow_up(job_id)
        except Unavailable as error:
            log.warning("follow_up.put_off", job_id=job_id, code=error.code, reason=error.message)
