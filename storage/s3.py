"""Images in an S3-compatible store. Two clients: what we read and write through, and what signs links for clients."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from darkroom.errors import ObjectMissing, StorageUnavailable
from storage import s3_errors
from storage.contract import SignedUrl, checked_ttl
from storage.disposition import content_disposition
from storage.keys import JOBS_PREFIX, checked_key, job_prefix, keys_of_job

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_KEYS_A_PAGE = 1000  # what DeleteObjects takes at most


@dataclass(frozen=True)
class S3Clients:
    """`inside` reads and writes with retries; `quick` asks once and waits little; `public` only signs."""

    inside: "S3Client"
    quick: "S3Client"
    public: "S3Client"


class S3Storage:
    def __init__(self, clients: S3Clients, bucket: str, *, default_ttl_s: int = 3600) -> None:
        self._clients = clients
        self._bucket = bucket
        self._default_ttl_s = default_ttl_s

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        # Content-MD5 is as old as S3, and verified by every store tried; some do not know botocore's newer ones.
        checksum = b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
        with self._explained():
            self._clients.inside.put_object(
                Bucket=self._bucket,
                Key=checked_key(key),
                Body=data,
                ContentType=content_type,
                ContentMD5=checksum,
            )

    def get(self, key: str) -> bytes:
        with self._explained():
            try:
                answer = self._clients.inside.get_object(Bucket=self._bucket, Key=checked_key(key))
                return answer["Body"].read()
            except ClientError as error:
                if self._means_missing(error, key):
                    raise ObjectMissing(f"Storage has no object {key!r}; it may have been deleted.") from error
                raise

    def delete(self, keys: Iterable[str]) -> None:
        for refused in self._delete_each([checked_key(key) for key in keys]).values():
            raise refused

    def delete_job(self, job_id: str) -> None:
        prefix = job_prefix(job_id)
        # Listed whole before anything goes: a listing that is deleted from while it is read may skip keys.
        with self._explained():
            self.delete(list(self._listed(prefix)))

    def delete_jobs(self, images: Mapping[str, int]) -> dict[str, StorageUnavailable]:
        # Without a listing for each job, which costs money where deleting is free: keys depend on the job alone.
        job_of = {key: job_id for job_id, count in images.items() for key in keys_of_job(job_id, count)}
        return {job_of[key]: refused for key, refused in self._delete_each(list(job_of)).items()}

    def signed_url(self, key: str, *, ttl_s: int | None = None, filename: str | None = None) -> SignedUrl:
        params = {"Bucket": self._bucket, "Key": checked_key(key)}
        if filename is not None:
            params["ResponseContentDisposition"] = content_disposition(filename)
        lifetime_s = checked_ttl(self._default_ttl_s if ttl_s is None else ttl_s)
        with self._explained():
            url = self._clients.public.generate_presigned_url("get_object", Params=params, ExpiresIn=lifetime_s)
        return SignedUrl(url, _expiry(url))

    def check(self) -> None:
        # Not HeadBucket: it answers without a body, so a wrong key and a missing right look the same.
        with self._explained():
            self._clients.quick.list_objects_v2(Bucket=self._bucket, Prefix=JOBS_PREFIX, MaxKeys=1)

    def _delete_each(self, keys: list[str]) -> dict[str, StorageUnavailable]:
        """The keys that were refused. One refusal keeps no other object from going."""
        remaining, refused = iter(keys), dict[str, StorageUnavailable]()
        while page := list(islice(remaining, _KEYS_A_PAGE)):
            refused |= self._delete_page(page)
        return refused

    def _delete_page(self, keys: list[str]) -> dict[str, StorageUnavailable]:
        with self._explained():
            answer = self._clients.inside.delete_objects(
                Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
        # The answer is 200 even where single keys were refused.
        return {
            error["Key"]: self._unavailable(ClientError({"Error": {"Code": error.get("Code", "")}}, "DeleteObjects"))
            for error in answer.get("Errors", [])
            if error.get("Code") != "NoSuchKey"
        }

    def _listed(self, prefix: str) -> Iterator[str]:
        for page in self._clients.inside.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                yield found["Key"]

    def _means_missing(self, error: ClientError, key: str) -> bool:
        if s3_errors.code(error) == "AccessDenied":
            # AWS denies reading a missing object to whoever may list only a prefix, as our policy asks for.
            listed = self._clients.inside.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)
            return listed.get("KeyCount", 0) == 0
        return s3_errors.code(error) in {"NoSuchKey", "404"}

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: BotoCoreError | ClientError) -> StorageUnavailable:
        return s3_errors.unavailable(error, self._clients.inside.meta.endpoint_url, self._bucket)


def _expiry(url: str) -> datetime:
    """Read from what was signed, so that it is the very second at which the store refuses."""
    query = parse_qs(urlsplit(url).query)
    signed_at = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return signed_at + timedelta(seconds=int(query["X-Amz-Expires"][0]))
