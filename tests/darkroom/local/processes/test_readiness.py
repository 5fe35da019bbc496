"""When the stack counts as ready."""

from pathlib import Path

import pytest

from darkroom.local.embedded_redis import embedded_redis
from darkroom.local.processes.readiness import NotReady, missing, redis_answers, wait_for_api, wait_for_redis

OK = {"redis": "ok", "broker": "ok", "storage": "ok"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"status": "ready", "checks": OK, "workers": {"gpu": 1, "cpu": 2}}, ()),
        ({"checks": OK, "workers": {"gpu": 0, "cpu": 1}}, ("no gpu worker",)),
        ({"checks": {"redis": "ok", "broker": "refused"}, "workers": {"gpu": 1, "cpu": 1}}, ("broker: refused",)),
        ({}, ("no gpu worker", "no cpu worker")),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(body: dict[str, dict[str, object]], expected: tuple[str, ...]) -> None:
    assert missing(body) == expected


def test_redis_is_asked_over_its_socket(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as url:
        socket = Path(url.removeprefix("unix://").partition("?")[0])
        assert redis_answers(socket)

    assert not redis_answers(socket)


def test_waiting_ends_at_the_deadline_and_says_what_for(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="within 0 s: Redis does not answer"):
        wait_for_redis(tmp_path / "none.sock", deadline_s=0)
    with pytest.raises(NotReady, match="within 0 s: the API does not answer"):
        wait_for_api("http://127.0.0.1:9", deadline_s=0)
