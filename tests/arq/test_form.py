"""What we send is what ARQ itself would have sent, and its own client reads it."""

import asyncio
import json
from typing import Any

import pytest

from darkroom.messages.arq_carrier import JOB_PREFIX, KEPT_MS, QUEUE_PREFIX, ArqCarrier, arq_queue, arq_url
from darkroom.messages.queues import GENERATE
from darkroom.settings import Settings


@pytest.fixture
def on_arq(settings: Settings) -> Settings:
    return settings.model_copy(update={"queue": "arq"})


def test_names_and_limits_are_arq_s_own() -> None:
    from arq import constants

    assert (constants.job_key_prefix, constants.expires_extra_ms) == (JOB_PREFIX, KEPT_MS)
    assert QUEUE_PREFIX.startswith(constants.default_queue_name)


def test_arq_s_client_reads_what_we_send(on_arq: Settings) -> None:
    ArqCarrier(on_arq).send(GENERATE, {"model": "minilab", "cause": "0" * 28})

    async def read() -> Any:
        from darkroom.messages.arq_client import worker_client

        client = worker_client(arq_url(on_arq), arq_queue("gpu.minilab"))
        try:
            return await client.queued_jobs()
        finally:
            await client.aclose(close_connection_pool=True)

    [message] = asyncio.run(read())

    assert (message.function, message.args, message.kwargs) == (
        GENERATE,
        [],
        {"model": "minilab", "cause": "0" * 28},
    )
    assert message.score == message.enqueue_time.timestamp() * 1000


def test_arq_s_check_is_told_of_passwords_and_certificates() -> None:
    from darkroom.messages.arq_client import settings_for_check

    told = settings_for_check("rediss://:a%2Fb@host:6380/3?ssl_ca_certs=ca.pem")

    assert (told.host, told.port, told.database, told.password) == ("host", 6380, 3, "a/b")
    assert (told.ssl, told.ssl_check_hostname, told.ssl_ca_certs) == (True, True, "ca.pem")


def test_what_cannot_be_written_as_json_is_written_as_text() -> None:
    from darkroom.messages.arq_carrier import serialize

    assert json.loads(serialize({"r": ValueError("no")})) == {"r": "no"}
