"""The job that makes the bucket before the service starts, run as docker-compose.yml runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import S3Server


def _run(repository: Path, server: S3Server, **changes: str) -> "subprocess.CompletedProcess[str]":
    settings = {
        "DARKROOM_S3_ENDPOINT_URL": server.endpoint_url,
        "DARKROOM_S3_ACCESS_KEY_ID": server.access_key_id,
        "DARKROOM_S3_SECRET_ACCESS_KEY": server.secret_access_key,
        "DARKROOM_S3_BUCKET": "made-by-the-job",
    }
    return subprocess.run(
        [sys.executable, repository / "deploy" / "create_bucket.py"],
        env={**os.environ, **settings, **changes},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.s3
def test_the_bucket_is_made_once_and_then_left_alone(repository: Path, s3_server: S3Server) -> None:
    first = _run(repository, s3_server)
    second = _run(repository, s3_server)

    assert (first.returncode, first.stdout) == (0, "Created the bucket made-by-the-job.\n")
    assert (second.returncode, second.stdout) == (0, "The bucket made-by-the-job is there already.\n")


@pytest.mark.s3
def test_a_wrong_secret_is_said_plainly(repository: Path, s3_server: S3Server) -> None:
    refused = _run(repository, s3_server, DARKROOM_S3_SECRET_ACCESS_KEY="wrong" * 8)

    assert refused.returncode == 1
    assert f"The bucket made-by-the-job at {s3_server.endpoint_url} cannot be created" in refused.stderr
    assert "Traceback" not in refused.stderr
