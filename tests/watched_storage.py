"""A real folder of images, where a test can let something happen just before an object is written or removed."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from darkroom.errors import StorageUnavailable
from storage.links import LinkSigner
from storage.local import LocalStorage


def nothing() -> None:
    pass


def down() -> None:
    """For a hook: the storage does not answer."""
    raise StorageUnavailable("The bucket does not answer.")


class WatchedStorage(LocalStorage):
    """The hooks are called before each act, and may raise."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, LinkSigner(b"s" * 32), "http://images.example")
        self.before_put: Callable[[], None] = nothing
        self.before_delete: Callable[[], None] = nothing

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        self.before_put()
        super().put(key, data, content_type=content_type)

    def delete(self, keys: Iterable[str]) -> None:
        self.before_delete()
        super().delete(keys)

    def delete_job(self, job_id: str) -> None:
        self.before_delete()
        super().delete_job(job_id)

    def delete_jobs(self, images: Mapping[str, int]) -> dict[str, StorageUnavailable]:
        self.before_delete()
        return super().delete_jobs(images)
