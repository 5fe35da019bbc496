"""Each real server answers, and comes back with its data. What is missing skips or fails as it should."""

import boto3
import pytest
import redis
from botocore.config import Config
from botocore.exceptions import ClientError
from kombu.connection import Connection
from playwright.sync_api import sync_playwright

from tests.servers import RabbitMQServer, RedisServer, S3Server
from tests.services import Chromium, missing


@pytest.mark.parametrize("ci", ["", "0", "false", "False"])
def test_a_missing_service_skips_on_a_laptop(ci: str) -> None:
    with pytest.raises(pytest.skip.Exception, match="No such thing"):
        missing("No such thing.", {"CI": ci})


@pytest.mark.parametrize("ci", ["true", "1"])
def test_a_missing_service_fails_in_ci(ci: str) -> None:
    with pytest.raises(pytest.fail.Exception, match="No such thing"):
        missing("No such thing.", {"CI": ci})


@pytest.mark.redis
def test_redis_keeps_what_it_was_told_when_killed(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("darkroom-test", "kept")
        first_pid = redis_server.process.pid

        redis_server.process.kill()
        redis_server.process.start()

        assert client.getdel("darkroom-test") == b"kept"
        assert redis_server.process.pid != first_pid
        assert int(client.info("server")["redis_version"].split(".")[0]) >= 7


@pytest.mark.redis
def test_a_paused_redis_answers_again_when_resumed(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url, socket_timeout=0.2, retry=None) as client:
        redis_server.process.pause()
        try:
            with pytest.raises(redis.TimeoutError):
                client.ping()
        finally:
            redis_server.process.resume()

        assert client.ping()


@pytest.mark.rabbitmq
def test_rabbitmq_delivers_a_message(rabbitmq_server: RabbitMQServer) -> None:
    connection = Connection(rabbitmq_server.url)  # type: ignore[no-untyped-call]
    with connection, connection.SimpleQueue("darkroom-test") as queue:  # type: ignore[no-untyped-call]
        queue.put({"greeting": "hello"})

        message = queue.get(timeout=5)

        assert message.payload == {"greeting": "hello"}
        message.ack()


@pytest.mark.s3
def test_s3_takes_an_object_and_refuses_a_wrong_secret(s3_server: S3Server) -> None:
    def client(secret: str):  # type: ignore[no-untyped-def]  # boto3's type is made at run time
        return boto3.client(
            "s3",
            endpoint_url=s3_server.endpoint_url,
            aws_access_key_id=s3_server.access_key_id,
            aws_secret_access_key=secret,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )

    mine = client(s3_server.secret_access_key)
    mine.put_object(Bucket=s3_server.bucket, Key="hello", Body=b"hello")

    assert mine.get_object(Bucket=s3_server.bucket, Key="hello")["Body"].read() == b"hello"
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client("wrong" * 8).get_object(Bucket=s3_server.bucket, Key="hello")


@pytest.mark.browser
def test_chromium_renders_a_page(chromium: Chromium) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.executable, args=chromium.arguments)
        page = browser.new_page()
        page.set_content("<h1>Darkroom</h1>")
        heading = page.inner_text("h1")
        browser.close()

    assert heading == "Darkroom"
