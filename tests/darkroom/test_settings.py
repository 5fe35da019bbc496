"""Settings that cannot work are refused as a process starts; what is secret in them shows nowhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from darkroom.server_urls import broker_fault, redis_fault
from darkroom.settings import Settings

SECRET = "a-secret-of-mine"


@pytest.mark.parametrize(
    "url",
    [
        "redis://host", "redis://host/", "redis://host:6379/3", "redis://:p%40ss@host:6379/0", "redis://host?db=2",
        "redis://[::1]:6379/0", "rediss://host/0", "rediss://host/0?ssl_cert_reqs=required&ssl_check_hostname=True",
        "unix:///run/redis.sock?db=0", "unix://:secret@/run/redis.sock",
    ],
)  # fmt: skip
def test_a_redis_url_that_can_work_is_taken(url: str) -> None:
    assert redis_fault(url) is None


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "begin with one of redis://, rediss://, unix://"),
        ("host:6379", "begin with one of"),
        ("http://host", "begin with one of"),
        ("redis:/host:6379/0", "two slashes"),
        ("redis:///0", "names no host"),
        ("redis://host:port/0", "%2F"),
        ("redis://:pa/ss@host/0", "%2F"),
        ("redis://:pa#ss@host/0", "%23"),
        ("redis://host:6379/0#", "%23"),
        ("redis://host:99999/0", "port cannot be read"),
        ("redis://[::1/0", "host or port cannot be read"),
        ("redis://host/jobs", "database's number"),
        ("redis://host?db=one", "db has to be a number"),
        ("redis://host?timeout=5", "Known are: db"),
        ("redis://host?ssl_ca_certs=/ca.pem", "TLS is rediss://"),
        ("unix://", "names no socket"),
        ("rediss://host?ssl_cert_reqs=none", "leave the server's certificate unchecked"),
        ("rediss://host?ssl_cert_reqs=optional", "leave the server's certificate unchecked"),
        ("rediss://host?ssl_check_hostname=false", "leave the server's certificate unchecked"),
        ("rediss://host?ssl_ca_certs=/nowhere/ca.pem", "ssl_ca_certs names no file"),
    ],
)
def test_a_redis_url_that_cannot_is_refused_with_advice(url: str, says: str) -> None:
    assert says in (redis_fault(url) or "")


@pytest.mark.parametrize(
    "url",
    [
        "amqp://guest:guest@host:5672//", "amqp://host/", "pyamqp://host//", "amqps://host//?heartbeat=30",
        "redis://host:6379/1", "rediss://host/1", "redis+socket:///run/redis.sock?virtual_host=1",
        "amqp://one//;amqp://another//",
    ],
)  # fmt: skip
def test_a_broker_url_that_can_work_is_taken(url: str) -> None:
    assert broker_fault(url) is None


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("kafka://host", "begin with one of"),
        ("memory://", "begin with one of"),
        ("unix:///run/redis.sock", "redis+socket://"),
        ("amqp://user:pa/ss@host//", "%2F"),
        ("amqps://host//?ssl_cert_reqs=CERT_NONE", "leave the server's certificate unchecked"),
        ("rediss://host/1?ssl_cert_reqs=none", "leave the server's certificate unchecked"),
        ("amqp://host//?ssl_ca_certs=/ca.pem", "TLS is amqps://"),
        ("amqp://one//;amqp//two", "begin with one of"),
        ("amqps://one//;amqps://two//", "name one server"),
        ("redis://host/1?heartbeat=3", "Known are: virtual_host"),
    ],
)
def test_a_broker_url_that_cannot_is_refused_with_advice(url: str, says: str) -> None:
    assert says in (broker_fault(url) or "")


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("DARKROOM_REDIS_URL", "api"),
        ("DARKROOM_BROKER_URL", "api"),
        ("DARKROOM_REDIS_URL", "darkroom keys"),
        ("DARKROOM_BROKER_URL", "celery -A darkroom.app inspect ping"),
        ("DARKROOM_BROKER_URL", "celery -A cpu_worker.app worker"),
        ("DARKROOM_BROKER_URL", "celery -A gpu_worker.app worker"),
    ],
)
def test_every_process_refuses_a_url_that_cannot_work_in_one_line(name: str, command: str, repository: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", *command.split()],
        env=os.environ | {name: f"redis://:{SECRET}/x@host:6379/0"},
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    lines = (said.stdout + said.stderr).strip().splitlines()
    assert said.returncode not in {0, None}
    assert [name in line for line in lines if line] == [True]
    assert SECRET not in said.stdout + said.stderr


def test_no_secret_shows_in_what_settings_look_like() -> None:
    settings = Settings(
        redis_url=f"redis://:{SECRET}@host:6379/0",
        broker_url=f"amqp://user:{SECRET}@host//",
        api_keys=SecretStr(f"alice:{SECRET}"),
        signing_key=SecretStr(SECRET * 3),
        s3_secret_access_key=SecretStr(SECRET),
    )

    assert SECRET not in f"{settings!r} {settings}"


def test_no_secret_shows_in_a_refusal_either() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(redis_url=f"http://:{SECRET}@host", signing_key=SecretStr(SECRET))

    assert SECRET not in str(refused.value)


def test_links_to_an_ipv6_address_can_be_opened() -> None:
    assert Settings(host="::1").public_base_url == "http://[::1]:8000"
