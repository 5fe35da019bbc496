"""Creates the bucket that DARKROOM_S3_BUCKET names. Fine where it is there already.

A job of its own, run once by docker-compose.yml: the service itself has no need of the right to create buckets.
"""

import sys
from http import HTTPStatus
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from darkroom.settings import Settings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def s3_client(settings: Settings) -> "S3Client":
    secret = settings.s3_secret_access_key
    client: S3Client = boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint_url,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
    )
    return client


def create_bucket(settings: Settings) -> str:
    """What was done, in words. Raises ClientError or BotoCoreError where the store refuses or does not answer."""
    client = s3_client(settings)
    # Asked first, for stores answer in different words when a bucket is made twice.
    if is_there(client, settings.s3_bucket):
        return f"The bucket {settings.s3_bucket} is there already."
    client.create_bucket(Bucket=settings.s3_bucket)
    return f"Created the bucket {settings.s3_bucket}."


def is_there(client: "S3Client", bucket: str) -> bool:
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
            return False
        raise
    return True


def main() -> int:
    settings = Settings()
    try:
        print(create_bucket(settings))
    except (ClientError, BotoCoreError) as error:
        sys.exit(f"The bucket {settings.s3_bucket} at {settings.s3_endpoint_url} cannot be created: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
