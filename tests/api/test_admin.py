"""What operators see and do over HTTP, and who is one."""

from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr

from api.keys import read_keys
from darkroom.errors import GenerationFailed, Misconfigured
from darkroom.job_store.presence import report
from darkroom.job_store.redis_client import Client
from darkroom.settings import Settings
from darkroom.workers import WorkerInfo
from tests.api.conftest import Ask
from tests.api.serving import serving
from tests.api.worker import Worker

ANNE, BOB = "anne-has-this-key-1234", "bob-has-another-key-567"
ROUTES = (("GET", "/admin/operations"), ("POST", "/admin/dead/x/retry"), ("DELETE", "/admin/dead/x"))


@pytest.fixture
def locked(settings: Settings) -> Iterator[httpx.Client]:
    keys = {"api_keys": SecretStr(f"anne:{ANNE},bob:{BOB}"), "admin_keys": ("anne",)}
    with (
        serving(settings.model_copy(update=keys)) as api,
        httpx.Client(base_url=api.url, trust_env=False, timeout=30) as client,
    ):
        yield client


def of(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_without_keys_everybody_on_this_machine_is_an_operator(http: httpx.Client) -> None:
    assert http.get("/admin/me").json() == {"key": "anonymous", "is_operator": True}
    assert http.get("/admin/operations").status_code == 200


def test_with_keys_only_those_that_are_named(locked: httpx.Client) -> None:
    assert locked.get("/admin/me", headers=of(BOB)).json() == {"key": "bob", "is_operator": False}

    for method, path in ROUTES:
        refused = locked.request(method, path, headers=of(BOB))
        assert (refused.status_code, refused.json()["code"]) == (403, "operators_only")
        assert locked.request(method, path).status_code == 401
        assert locked.request(method, path, headers=of(ANNE)).status_code in {200, 404}


def test_an_operator_without_a_key_is_a_mistake_that_is_told() -> None:
    settings = Settings(api_keys=SecretStr(f"anne:{ANNE}"), admin_keys=("carol",))

    with pytest.raises(Misconfigured, match="carol"):
        read_keys(settings)


def test_lines_say_how_many_wait_and_since_when(http: httpx.Client, ask: Ask, worker: Worker) -> None:
    worker.sign_on(lanes=2)
    first = ask()
    ask(priority="bulk")
    ask(priority="bulk")

    [line] = http.get("/admin/operations").json()["lines"]

    assert (line["model"], line["interactive"], line["bulk"], line["lanes"]) == ("minilab", 1, 2, 2)
    assert line["oldest_at"][:19] == first["created_at"][:19]
    assert line["eta_s"] is None  # no job of the model is done yet


def test_lines_that_nobody_serves_are_shown_while_somebody_waits(http: httpx.Client, ask: Ask) -> None:
    assert http.get("/admin/operations").json()["lines"] == []

    ask()

    [line] = http.get("/admin/operations").json()["lines"]
    assert (line["interactive"], line["lanes"]) == (1, 0)


def test_workers_say_what_they_are_and_what_they_made(
    http: httpx.Client, ask: Ask, worker: Worker, client: Client
) -> None:
    worker.sign_on()
    report(client, WorkerInfo("cpu-1", "cpu", lanes=4))
    ask(n=3)
    worker.make_next()

    seen = {each["name"]: each for each in http.get("/admin/operations").json()["workers"]}

    assert seen["gpu-1"]["images_per_minute"] == 3
    assert seen["gpu-1"]["models"] == ["minilab"]
    assert seen["cpu-1"]["images_per_minute"] == 0
    assert seen["cpu-1"]["memory_bytes"] > 1_000_000


def test_running_jobs_show_their_steps_and_never_their_prompt(http: httpx.Client, ask: Ask, worker: Worker) -> None:
    asked = ask(prompt="a secret garden")
    worker.step(worker.claim(), 7)

    answer = http.get("/admin/operations")

    [job] = answer.json()["running"]
    assert (job["id"], job["step"], job["worker"], job["attempt"]) == (asked["id"], 7, "gpu-1", 1)
    assert "secret" not in answer.text


def test_a_dead_letter_is_listed_retried_and_dropped(http: httpx.Client, ask: Ask, worker: Worker) -> None:
    for _ in range(2):
        ask()
        for _ in range(3):
            worker.claims.try_again(worker.claim(), GenerationFailed("The model stopped with ValueError."))
    first, second = http.get("/admin/operations").json()["dead_letters"]
    assert [entry["attempt"] for entry in first["history"]] == [1, 2, 3]
    assert first["code"] == "generation_failed"

    retried = http.post(f"/admin/dead/{first['id']}/retry").json()
    dropped = http.delete(f"/admin/dead/{second['id']}")

    assert worker.claim().id == retried["id"]
    assert dropped.status_code == 204
    assert http.get("/admin/operations").json()["dead_letters"] == []
    assert http.post(f"/admin/dead/{first['id']}/retry").json()["code"] == "unknown_job"
    assert http.get(f"/jobs/{second['id']}").json()["status"] == "failed"
