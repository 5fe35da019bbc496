"""What is there when all is quiet again: records and event streams in Redis, objects in the bucket."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import boto3

from darkroom.job_store import keys
from darkroom.job_store.dead_letters import DeadLetter, DeadLetters
from darkroom.job_store.redis_client import Client, connect
from darkroom.job_store.store import JobStore
from darkroom.jobs import Job
from darkroom.settings import Settings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

JOB = keys.JOB("")


@dataclass(frozen=True)
class Evidence:
    jobs: dict[str, Job]
    ends: dict[str, int]
    """Final events in each job's stream."""
    objects: dict[str, bytes]
    """By key, all there is in the bucket."""
    dead: dict[str, DeadLetter] = field(default_factory=dict)
    """What `darkroom dead` lists, by job."""


def gather(settings: Settings) -> Evidence:
    with connect(settings.redis_url) as client:
        jobs = records(client)
        ends = {job_id: _ends(client, job_id) for job_id in jobs}
        dead = DeadLetters(client, JobStore(client, settings)).all()
    return Evidence(jobs, ends, _objects(settings), {letter.job.id: letter for letter in dead})


def records(client: Client) -> dict[str, Job]:
    ids = [key.removeprefix(JOB) for key in client.scan_iter(match=f"{JOB}*", count=1000)]
    read = [(job_id, client.hgetall(f"{JOB}{job_id}")) for job_id in ids]
    return {job_id: Job.from_record(job_id, record) for job_id, record in read if record}


def _ends(client: Client, job_id: str) -> int:
    kinds = Counter(fields["type"] for _, fields in client.xrange(keys.EVENTS(job_id)))
    return kinds["succeeded"] + kinds["failed"] + kinds["canceled"]


def _objects(settings: Settings) -> dict[str, bytes]:
    secret = settings.s3_secret_access_key
    s3: S3Client = boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint_url,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=None if secret is None else secret.get_secret_value(),
    )
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=settings.s3_bucket)
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    return {key: s3.get_object(Bucket=settings.s3_bucket, Key=key)["Body"].read() for key in keys}
