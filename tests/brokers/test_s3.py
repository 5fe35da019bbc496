"""A whole deployment whose images go to S3."""

import hashlib
from pathlib import Path

import httpx
import pytest

from darkroom.local.embedded_redis import embedded_redis
from storage.opening import open_storage
from tests.brokers.deployment import deployment
from tests.servers import S3Server


@pytest.mark.s3
def test_an_image_and_its_thumbnail_are_fetched_by_presigned_url(s3_server: S3Server, tmp_path: Path) -> None:
    env = {
        "DARKROOM_STORAGE": "s3",
        "DARKROOM_S3_ENDPOINT_URL": s3_server.endpoint_url,
        "DARKROOM_S3_ACCESS_KEY_ID": s3_server.access_key_id,
        "DARKROOM_S3_SECRET_ACCESS_KEY": s3_server.secret_access_key,
        "DARKROOM_S3_BUCKET": s3_server.bucket,
    }
    with (
        embedded_redis(tmp_path / "redis") as url,
        deployment(tmp_path, {"DARKROOM_REDIS_URL": url, **env}) as deployed,
    ):
        deployed.gpu_worker()
        deployed.cpu_worker()

        [image] = deployed.wait_for_thumbnails(deployed.post(output_format="webp")).images

        assert image.thumbnail
        storage = open_storage(deployed.settings)
        for stored in (image, image.thumbnail):
            answer = httpx.get(storage.signed_url(stored.key).url, trust_env=False)
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "image/webp"
            assert hashlib.sha256(answer.content).hexdigest() == stored.sha256
