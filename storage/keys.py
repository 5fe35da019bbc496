"""Under which key an image is kept. A key depends on ids of our own alone: nothing a client sends is part of one."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

JOBS_PREFIX = "jobs/"
INPUTS_PREFIX = "inputs/"
LONGEST_KEY = 200

CONTENT_TYPES: Mapping[str, str] = MappingProxyType({"png": "image/png", "webp": "image/webp", "jpeg": "image/jpeg"})

_JOB_ID = re.compile(r"[0-9a-z]{20,40}")
_INPUT_ID = re.compile(r"upl_[0-9a-f]{24}")
# No segment begins with a dot, so `..`, hidden files and empty segments cannot be written down.
_KEY = re.compile(r"[0-9a-z][0-9a-z._-]*(/[0-9a-z][0-9a-z._-]*)*")


def image_key(job_id: str, index: int, extension: str) -> str:
    """`jobs/<job_id>/0.png`. Raises ValueError for an extension that is not in CONTENT_TYPES."""
    if extension not in CONTENT_TYPES:
        raise ValueError(f"An image is kept as one of {', '.join(CONTENT_TYPES)}; not as {extension!r}.")
    return f"{job_prefix(job_id)}{_checked_index(index)}.{extension}"


def thumbnail_key(job_id: str, index: int) -> str:
    """Beside the image, and always WebP."""
    return f"{job_prefix(job_id)}{_checked_index(index)}.thumbnail.webp"


def keys_of_job(job_id: str, images: int) -> Iterator[str]:
    """All keys that a job of so many images can have, in whichever format."""
    for index in range(images):
        yield from (image_key(job_id, index, extension) for extension in CONTENT_TYPES)
        yield thumbnail_key(job_id, index)


def input_key(input_id: str) -> str:
    """`inputs/<id>.png`. Apart from jobs, since several may need one."""
    if not _INPUT_ID.fullmatch(input_id):
        raise ValueError(f"{input_id!r} is not the id of an input: upl_ and 24 of 0-9 and a-f.")
    return f"{INPUTS_PREFIX}{input_id}.png"


def job_prefix(job_id: str) -> str:
    """Ends with a slash, so that no job's prefix is the beginning of another's."""
    if not _JOB_ID.fullmatch(job_id):
        raise ValueError(f"{job_id!r} is not the id of a job: 20 to 40 of 0-9 and a-z.")
    return f"{JOBS_PREFIX}{job_id}/"


def content_type(key: str) -> str:
    """By the key's extension, for whoever serves the object."""
    return CONTENT_TYPES.get(key.rpartition(".")[2], "application/octet-stream")


def checked_key(key: str) -> str:
    """The key itself. Raises ValueError where it could name anything but an object of ours."""
    if len(key) > LONGEST_KEY or not _KEY.fullmatch(key):
        raise ValueError(
            f"{key[:LONGEST_KEY]!r} is not a storage key: segments of 0-9, a-z, dot, dash and underscore that "
            f"begin with a letter or digit, joined by slashes, {LONGEST_KEY} characters at most."
        )
    return key


def _checked_index(index: int) -> int:
    if not 0 <= index < 10_000:
        raise ValueError(f"{index} is not the index of an image: 0 to 9999.")
    return index
