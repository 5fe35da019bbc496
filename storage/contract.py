"""What every storage does, and the values it hands out. Tested as one contract over all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from darkroom.errors import StorageUnavailable

LONGEST_TTL_S = 604_800


@dataclass(frozen=True)
class SignedUrl:
    """Grants reading one object to whoever holds it, so it is never logged. `expires_at` is UTC, a whole second."""

    url: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"SignedUrl(url=<hidden>, expires_at={self.expires_at.isoformat()})"


class Storage(Protocol):
    """Safe to share between threads. Every method raises StorageUnavailable when the storage does not do its part,
    and ValueError for a key that `storage.keys` would not make.
    """

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        """Whole or not at all. An object already there is replaced, so that doing it twice is harmless."""

    def get(self, key: str) -> bytes:
        """Raises ObjectMissing."""

    def delete(self, keys: Iterable[str]) -> None:
        """Those that are not there are fine."""

    def delete_job(self, job_id: str) -> None:
        """Everything below the job's prefix, whatever its record knows of."""

    def delete_jobs(self, images: Mapping[str, int]) -> dict[str, StorageUnavailable]:
        """What these jobs may have stored, by how many images each may have; many at the price of few.

        Gives the jobs of which something may be left, each with the reason.
        """

    def signed_url(self, key: str, *, ttl_s: int | None = None, filename: str | None = None) -> SignedUrl:
        """A link to read the object with, whether or not it exists. Asks nothing of the storage.

        `filename` is the name a browser proposes when the image is saved.
        """

    def check(self) -> None:
        """A quick look whether the storage would serve us now, for `/readyz`."""


def checked_ttl(ttl_s: int) -> int:
    """Raises ValueError outside what S3 would sign."""
    if not 1 <= ttl_s <= LONGEST_TTL_S:
        raise ValueError(f"A signed URL lives 1 to {LONGEST_TTL_S} seconds; not {ttl_s}.")
    return ttl_s
