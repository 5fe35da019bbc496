"""`Cancel-After` and `deadline_s`: how long a job may take is up to whoever asks for it."""

import httpx
import pytest

from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client
from darkroom.job_store.upkeep import Upkeep
from tests.api.conftest import Ask
from tests.api.problems import problem_of

RED = {"prompt": "a red circle"}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("5", 5), ("90s", 90), ("1m", 60), ("1h30m45s", 5445), ("2M", 120), ("1h", 3600), ("168h", 604_800)],
)
def test_the_header_sets_the_job_s_deadline(header: str, seconds: int, http: httpx.Client, client: Client) -> None:
    job = http.post("/generate", json=RED, headers={"Cancel-After": header}).json()

    assert job["request"]["deadline_s"] == seconds
    assert client.zscore(keys.DEADLINES(), job["id"])


@pytest.mark.parametrize("header", ["", "soon", "1d", "m", "-5", "1.5m", "1m 30s", "30s1m", "9" * 50])
def test_a_header_that_cannot_be_read_is_refused(header: str, http: httpx.Client) -> None:
    problem = problem_of(http.post("/generate", json=RED, headers={"Cancel-After": header}))

    assert problem["code"] == "invalid_field"
    assert problem["errors"][0]["field"] == "Cancel-After"


@pytest.mark.parametrize("header", ["4", "0s", "169h"])
def test_a_time_out_of_bounds_is_refused(header: str, http: httpx.Client) -> None:
    assert problem_of(http.post("/generate", json=RED, headers={"Cancel-After": header}))["code"] == (
        "deadline_s_out_of_range"
    )


@pytest.mark.parametrize("seconds", [4.9, 0, -1, 604_801, 1e300])
def test_a_field_out_of_bounds_is_refused(seconds: float, http: httpx.Client) -> None:
    problem = problem_of(http.post("/generate", json=RED | {"deadline_s": seconds}))

    assert problem["code"] == "deadline_s_out_of_range"
    assert problem["errors"][0]["field"] == "deadline_s"


@pytest.mark.parametrize(("field", "header", "earlier"), [(60, "2m", 60), (300, "2m", 120)])
def test_of_two_deadlines_the_earlier_holds(field: float, header: str, earlier: float, http: httpx.Client) -> None:
    job = http.post("/generate", json=RED | {"deadline_s": field}, headers={"Cancel-After": header}).json()

    assert job["request"]["deadline_s"] == earlier


def test_a_job_that_was_too_late_says_so(ask: Ask, http: httpx.Client, client: Client, upkeep: Upkeep) -> None:
    job = ask(deadline_s=30)
    client.zadd(keys.DEADLINES(), {job["id"]: 1})
    upkeep.cancel_late()

    late = http.get(f"/jobs/{job['id']}").json()

    assert (late["status"], late["error"]["code"]) == ("canceled", "deadline_passed")
