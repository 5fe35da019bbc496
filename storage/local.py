"""Images in a folder of this machine, for one machine or a shared file system. The API serves them to signed links."""

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlencode

from darkroom.errors import ObjectMissing, StorageUnavailable
from storage.contract import SignedUrl, checked_ttl
from storage.keys import checked_key, job_prefix
from storage.links import LinkSigner
from storage.whole_files import make_private_folder, write_whole

_ADVICE = {
    errno.ENOSPC: "Free some space there.",
    errno.EDQUOT: "Free some space there, or raise the quota.",
    errno.EACCES: "Let this process's user write there.",
    errno.EPERM: "Let this process's user write there.",
    errno.EEXIST: "A file stands where a folder should be; move it away.",
    errno.ENOTDIR: "A file stands where a folder should be; move it away.",
    errno.EROFS: "Mount it for writing.",
}
_ROOM_FOR_ONE_IMAGE = 1 << 20


class LocalStorage:
    """`base_url` is the API's address as clients see it, without a slash at the end."""

    def __init__(
        self,
        root: Path,
        signer: LinkSigner,
        base_url: str,
        *,
        default_ttl_s: int = 3600,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        # The operator may make the root itself a link to a larger disk; below it no link may lead out.
        self._root = root.resolve()
        self._signer = signer
        self._base_url = base_url
        self._default_ttl_s = default_ttl_s
        self._clock = clock

    def put(self, key: str, data: bytes, *, content_type: str) -> None:  # noqa: ARG002 - the extension says it
        path = self._path(key)
        with self._explained("write"):
            make_private_folder(path.parent, self._root)
            write_whole(path, data)

    def get(self, key: str) -> bytes:
        path = self.path(key)
        with self._explained("read"):
            try:
                return path.read_bytes()
            except FileNotFoundError as error:
                raise _missing(key) from error

    def delete(self, keys: Iterable[str]) -> None:
        paths = [self._path(key) for key in keys]
        with self._explained("delete in"):
            for path in paths:
                with suppress(FileNotFoundError):
                    path.unlink()

    def delete_job(self, job_id: str) -> None:
        folder = self._path(job_prefix(job_id).rstrip("/"))
        with self._explained("delete in"):
            while folder.exists():
                # Somebody who deletes beside us makes rmtree stumble; what is left is then looked at again.
                with suppress(FileNotFoundError):
                    shutil.rmtree(folder)

    def delete_jobs(self, images: Mapping[str, int]) -> dict[str, StorageUnavailable]:
        kept = {}
        for job_id in images:
            try:
                self.delete_job(job_id)
            except StorageUnavailable as error:
                kept[job_id] = error
        return kept

    def signed_url(self, key: str, *, ttl_s: int | None = None, filename: str | None = None) -> SignedUrl:
        ttl = timedelta(seconds=checked_ttl(self._default_ttl_s if ttl_s is None else ttl_s))
        expires_at = (self._clock() + ttl).replace(microsecond=0)
        query = urlencode(self._signer.sign(checked_key(key), expires_at, filename), quote_via=quote)
        return SignedUrl(f"{self._base_url}/files/{key}?{query}", expires_at)

    def linked_path(self, key: str, *, expires: str, signature: str, filename: str | None = None) -> Path:
        """The file behind a link that `signed_url` made. Raises LinkForged, LinkExpired, ObjectMissing."""
        self._signer.verify(key, expires, signature, self._clock(), filename)
        return self.path(key)

    def path(self, key: str) -> Path:
        """Where the object is. Raises ObjectMissing."""
        path = self._path(key)
        with self._explained("read"):
            if not path.is_file():
                raise _missing(key)
        return path

    def check(self) -> None:
        with self._explained("write"):
            make_private_folder(self._root, self._root)
            if not os.access(self._root, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            if shutil.disk_usage(self._root).free < _ROOM_FOR_ONE_IMAGE:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _path(self, key: str) -> Path:
        path = self._root / checked_key(key)
        # Not Path.resolve, which up to Python 3.12 fails on links that lead to each other.
        real = Path(os.path.realpath(path))
        if real != path:
            raise StorageUnavailable(f"{path} leads to {real} by a symbolic link. Remove the link.")
        return path

    @contextmanager
    def _explained(self, act: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or type(error).__name__
            advice = _ADVICE.get(error.errno or 0, "Look at that folder and its disk.")
            raise StorageUnavailable(f"Cannot {act} the image folder {self._root}: {reason}. {advice}") from error


def _missing(key: str) -> ObjectMissing:
    return ObjectMissing(f"Storage has no object {key!r}; it may have been deleted.")
