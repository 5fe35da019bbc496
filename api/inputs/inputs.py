"""The pictures of a request: found or read, and kept for its job.

Reading and storing have a few threads of their own; requests with URLs have others, for who answers slowly there shall
hold up nobody else.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import BoundedSemaphore

from api.inputs.pictures import Picture, read_picture
from api.inputs.pool import Pool
from api.inputs.references import References
from darkroom.errors import DarkroomError, Fault, InvalidRequest, Unavailable
from darkroom.inputs import ALPHA, Brought, Input, ReferenceKind, kind_of, new_upload_id
from darkroom.job_store.inputs import InputRecords, Kept
from darkroom.request import GenerateBody
from darkroom.settings import Settings
from storage.contract import Storage
from storage.keys import input_key

THREADS = 4
MOST_DECODED_AT_ONCE = 2
MOST_AT_ONCE = 16
# What came with a request belongs to its job; until there is one, it is kept for as long as that can take.
UNTIL_ITS_JOB_S = 600.0

NO_PARTS: Mapping[str, bytes] = {}


@dataclass(frozen=True)
class Fresh:
    """A picture that is not kept yet. Of the bytes that came, the SHA-256."""

    picture: Picture
    sha256: str


@dataclass(frozen=True)
class Gathered:
    """The pictures of a body, and by id those that are to be kept if a job comes of it."""

    brought: Brought = field(default_factory=Brought)
    fresh: Mapping[str, Fresh] = field(default_factory=dict)


class Inputs:
    def __init__(self, references: References, records: InputRecords, storage: Storage, settings: Settings) -> None:
        self._references = references
        self._records = records
        self._storage = storage
        self._settings = settings
        self._pool = Pool("inputs", THREADS, MOST_AT_ONCE)
        self._fetchers = Pool("fetching-inputs", THREADS, MOST_AT_ONCE)
        self._decoders = BoundedSemaphore(MOST_DECODED_AT_ONCE)

    async def upload(self, data: bytes, owner: str) -> Kept:
        """Keep a picture for requests that will name it. Raises InvalidRequest, Unavailable."""
        return await self._pool.run(self._upload, data, owner)

    async def gather(self, body: GenerateBody, owner: str, parts: Mapping[str, bytes] = NO_PARTS) -> Gathered:
        """Find and read the pictures that a body names. `parts`: bytes that came beside it, by the names it uses.

        Nothing is kept yet. Raises InvalidRequest with every fault, Unavailable.
        """
        named = _named(body)
        if not named:
            return Gathered()
        fetches = any(kind_of(reference) is ReferenceKind.URL for _, reference in named)
        pool = self._fetchers if fetches else self._pool
        return await pool.run(self._gather, body, owner, parts)

    async def keep(self, gathered: Gathered, owner: str) -> list[Kept]:
        """Store what is not yet, until its job holds it; in the order of `fresh`. Raises Unavailable."""
        return await self._pool.run(self._keep, gathered, owner) if gathered.fresh else []

    async def let_go(self, kept: Sequence[Kept]) -> None:
        """Of what `keep` stored, when no job came of it."""
        if kept:
            with suppress(Unavailable):  # the housekeeper does it later
                await self._pool.run(self._let_go, kept)

    def close(self) -> None:
        self._pool.close()
        self._fetchers.close()

    def _upload(self, data: bytes, owner: str) -> Kept:
        seen: dict[str, Fresh] = {}
        found = self._read(data, "body", owner, seen)
        kept_for_s = self._settings.upload_ttl_s
        if found.id in seen:
            return self._store(found, seen[found.id], owner, kept_for_s)
        return self._records.keep(found, owner, hashlib.sha256(data).hexdigest(), kept_for_s)

    def _gather(self, body: GenerateBody, owner: str, parts: Mapping[str, bytes]) -> Gathered:
        fresh: dict[str, Fresh] = {}
        faults: list[Fault] = []
        found: dict[str, list[Input]] = {"image": [], "mask": [], "control_image": []}
        for name, reference in _named(body):
            try:
                there = parts.get(reference) or self._references.resolve(reference, name, owner)
                picture = there if isinstance(there, Input) else self._read(there, name, owner, fresh)
                found[name].append(picture)
            except InvalidRequest as error:
                faults += error.faults
        if faults:
            raise InvalidRequest(faults)
        mask, control = (next(iter(found[name]), None) for name in ("mask", "control_image"))
        return Gathered(Brought(tuple(found["image"]), mask, control), fresh)

    def _read(self, data: bytes, name: str, owner: str, fresh: dict[str, Fresh]) -> Input:
        """As it is known already, or decoded and put among the fresh ones."""
        if len(data) > self._settings.max_upload_bytes:
            message = f"{name} has {len(data)} bytes; {self._settings.max_upload_bytes} are taken at most."
            raise InvalidRequest.of(name, "input_too_large", message)
        sha256 = hashlib.sha256(data).hexdigest()
        twin = next((each for each, of in fresh.items() if of.sha256 == sha256), None)
        if twin is None and (known := self._records.find(owner, sha256)):
            return known
        if twin is None:
            with self._decoders:
                picture = read_picture(data, name, self._settings.max_input_pixels)
            twin = new_upload_id()
            fresh[twin] = Fresh(picture, sha256)
        return _input(twin, fresh[twin].picture)

    def _keep(self, gathered: Gathered, owner: str) -> list[Kept]:
        kept: list[Kept] = []
        try:
            for input_id, fresh in gathered.fresh.items():
                kept.append(self._store(_input(input_id, fresh.picture), fresh, owner, UNTIL_ITS_JOB_S))
        except DarkroomError:
            with suppress(Unavailable):
                self._let_go(kept)
            raise
        return kept

    def _store(self, picture: Input, fresh: Fresh, owner: str, for_s: float) -> Kept:
        self._records.announce(picture.id)
        self._storage.put(input_key(picture.id), fresh.picture.png, content_type="image/png")
        kept = self._records.keep(picture, owner, fresh.sha256, for_s)
        if kept.input.id != picture.id:  # the same bytes came twice at once
            self._remove_file(picture.id)
        return kept

    def _let_go(self, kept: Sequence[Kept]) -> None:
        for each in kept:
            if self._records.drop(each.input.id, each.until_ms):
                self._remove_file(each.input.id)

    def _remove_file(self, input_id: str) -> None:
        self._storage.delete([input_key(input_id)])
        self._records.file_removed(input_id)


def _input(input_id: str, picture: Picture) -> Input:
    return Input(input_id, picture.width, picture.height, picture.has_alpha)


def _named(body: GenerateBody) -> list[tuple[str, str]]:
    """Fields and the pictures that they name."""
    single = (("mask", body.mask), ("control_image", body.control_image))
    named = [("image", reference) for reference in body.image_references]
    return named + [(name, reference) for name, reference in single if reference is not None and reference != ALPHA]
