"""What a request's reference leads to: an input that is kept, or the bytes of a picture."""

import base64
import binascii
import re
from collections.abc import Callable

from darkroom.errors import FetchFailed, InvalidRequest, ObjectMissing, UnknownJob
from darkroom.fetching.guarded_fetch import GuardedFetch, Limits
from darkroom.inputs import Input, ReferenceKind, kind_of
from darkroom.job_store.inputs import InputRecords
from darkroom.job_store.store import JobStore
from storage.contract import Storage

Fetch = Callable[[str, str], bytes]
"""The bytes behind a URL, and the field that named it. Raises InvalidRequest."""

DATA_URL = re.compile(r"data:[\w.+-]*/?[\w.+-]*(?:;[\w.+-]+=[\w.+-]+)*;base64,", re.IGNORECASE)

REFERENCE_FAULT_CODES = (
    "unknown_upload", "unknown_image", "input_reference_invalid", "input_data_malformed", "input_too_large",
    "url_forbidden", "url_unreachable", "url_too_large", "url_wrong_type",
)  # fmt: skip


# What a picture may be called: stores that do not know call it a stream of bytes, and its content is looked at anyway.
CONTENT_TYPES = frozenset({
    "image/png", "image/jpeg", "image/webp", "image/gif", "application/octet-stream", "binary/octet-stream",
})  # fmt: skip
# Of one picture. A request may name several, and has a minute for all.
FETCHED_WITHIN_S = 20.0


def guarded(fetch: GuardedFetch, max_bytes: int) -> Fetch:
    limits = Limits(max_bytes, CONTENT_TYPES, FETCHED_WITHIN_S)

    def read(url: str, field: str) -> bytes:
        try:
            return fetch.get(url, limits).body
        except FetchFailed as error:
            raise InvalidRequest.of(field, error.code, f"{field}: {error.message}") from error

    return read


class References:
    def __init__(self, records: InputRecords, store: JobStore, storage: Storage, fetch: Fetch) -> None:
        self._records = records
        self._store = store
        self._storage = storage
        self._fetch = fetch

    def resolve(self, reference: str, field: str, owner: str) -> Input | bytes:
        """Raises InvalidRequest, Unavailable."""
        match kind_of(reference):
            case ReferenceKind.UPLOAD:
                return self._upload(reference, field, owner)
            case ReferenceKind.IMAGE:
                return self._image(reference, field, owner)
            case ReferenceKind.DATA:
                return _decoded(reference, field)
            case ReferenceKind.URL:
                return self._fetch(reference, field)
            case None:
                message = f"{field} names no picture: give an upload's id (upl_…), an image's id, or a URL."
                raise InvalidRequest.of(field, "input_reference_invalid", message)

    def _upload(self, input_id: str, field: str, owner: str) -> Input:
        """Another's is as good as none."""
        found = self._records.get(input_id, owner)
        if found is None:
            message = f"There is no upload {input_id}; it may have expired. Send it again with `POST /uploads`."
            raise InvalidRequest.of(field, "unknown_upload", message)
        return found

    def _image(self, image_id: str, field: str, owner: str) -> bytes:
        job_id, _, index = image_id.rpartition("-")
        try:
            job = self._store.get(job_id)
            keys = [image.key for image in job.images if str(image.index) == index and job.owner == owner]
            if keys:
                return self._storage.get(keys[0])
        except (UnknownJob, ObjectMissing):
            pass
        message = f"There is no image {image_id}. It exists once its job has succeeded, until that is deleted."
        raise InvalidRequest.of(field, "unknown_image", message)


def _decoded(url: str, field: str) -> bytes:
    header = DATA_URL.match(url)
    try:
        if header:
            return base64.b64decode(url[header.end() :], validate=True)
    except (binascii.Error, ValueError):
        pass
    message = f"{field} is no data URL that can be read: write `data:image/png;base64,` and the picture in base64."
    raise InvalidRequest.of(field, "input_data_malformed", message)
