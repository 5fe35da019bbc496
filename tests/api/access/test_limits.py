"""What a client hears of the bounds on its key, over HTTP and over several processes."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial

import httpx
import pytest

from darkroom.access.access import Access, Limits
from darkroom.job_store.access.stored_keys import StoredKeys
from darkroom.job_store.redis_client import Client
from darkroom.settings import Settings
from tests.api.problems import problem_of
from tests.api.serving import serving
from tests.api.test_start import environment
from tests.eventually import eventually
from tests.servers import free_port

RED = {"prompt": "a red circle"}  # 0.32768 megapixel-steps, as minilab's card has it
WORK = 20 * 128 * 128 / 1e6
REQUESTS = 200


@pytest.fixture
def stored(client: Client) -> StoredKeys:
    return StoredKeys(client)


def of(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_what_is_left_is_told_with_each_answer(http: httpx.Client, stored: StoredKeys) -> None:
    key = stored.create(Access(name="acme", limits=Limits(per_minute=2, daily_megapixel_steps=1000)))

    answers = [http.post("/generate", json=RED, headers=of(key)) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 429]
    policy = '"minute";q=2;w=60, "day";q=1000;w=86400;qu="megapixel-steps"'
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {policy}
    assert [answer.headers["ratelimit"][:11] for answer in answers] == ['"minute";r=' for _ in answers]
    assert [answer.headers["ratelimit"][11] for answer in answers] == ["1", "0", "0"]
    assert '"day";r=999;t=' in answers[0].headers["ratelimit"]
    assert problem_of(answers[2])["code"] == "rate_limited"
    assert 50 < int(answers[2].headers["retry-after"]) <= 60


def test_openai_s_clients_are_told_likewise(http: httpx.Client, stored: StoredKeys) -> None:
    key = stored.create(Access(name="acme", limits=Limits(per_minute=1)))
    http.post("/generate", json=RED, headers=of(key))

    answer = http.post("/v1/images/generations", json=RED, headers=of(key))

    assert (answer.status_code, answer.json()["error"]["type"]) == (429, "rate_limit_error")
    assert answer.json()["error"]["code"] == "rate_limited"
    assert answer.headers["ratelimit"].startswith('"minute";r=0;t=')


def test_a_key_without_bounds_hears_of_none(http: httpx.Client) -> None:
    answer = http.post("/generate", json=RED)

    assert not {"ratelimit", "ratelimit-policy"} & set(answer.headers)


def test_asking_how_a_job_stands_costs_nothing(http: httpx.Client, stored: StoredKeys) -> None:
    key = stored.create(Access(name="acme", limits=Limits(per_minute=1)))
    job = http.post("/generate", json=RED, headers=of(key)).json()

    assert {http.get(f"/jobs/{job['id']}", headers=of(key)).status_code for _ in range(5)} == {200}


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(waiting=1), "waiting_limit"),
        (Limits(unfinished=1), "unfinished_limit"),
        (Limits(daily_megapixel_steps=0.5), "daily_limit"),
        (Limits(per_minute=1), "rate_limited"),
    ],
)
def test_each_bound_has_a_code_of_its_own(limits: Limits, code: str, http: httpx.Client, stored: StoredKeys) -> None:
    key = stored.create(Access(name="acme", limits=limits))
    assert http.post("/generate", json=RED, headers=of(key)).status_code == 202

    refused = http.post("/generate", json=RED, headers=of(key))

    assert (refused.status_code, problem_of(refused)["code"]) == (429, code)
    assert int(refused.headers["retry-after"]) >= 1


def test_what_a_key_does_not_say_the_settings_do(settings: Settings, stored: StoredKeys) -> None:
    key = stored.create(Access(name="acme", limits=Limits(unfinished=2)))

    with serving(settings.model_copy(update={"max_unfinished_per_key": 1, "max_requests_per_minute": 3})) as api:
        codes = [
            httpx.post(f"{api.url}/generate", json=RED, headers=of(key), trust_env=False).json().get("code")
            for _ in range(4)
        ]

    assert codes == [None, None, "unfinished_limit", "rate_limited"]


def test_usage_says_what_a_key_used_and_may(http: httpx.Client, stored: StoredKeys) -> None:
    key = stored.create(Access(name="acme", limits=Limits(per_minute=9)))
    for _ in range(2):
        http.post("/generate", json=RED, headers=of(key))
    http.post("/generate", json=RED)

    usage = http.get("/usage", headers=of(key)).json()

    [day] = usage["days"]
    assert (usage["key"], usage["limits"]["per_minute"]) == ("acme", 9)
    assert (day["jobs"], day["megapixel_steps"]) == (2, round(2 * WORK, 6))
    assert day["models"] == {"minilab": {"jobs": 2, "megapixel_steps": round(2 * WORK, 6)}}


@contextmanager
def two_processes(settings: Settings) -> Iterator[list[str]]:
    """Real ones: each with its own connections and its own idea of the keys."""
    with ExitStack() as ending:
        urls = []
        for _ in range(2):
            port = free_port()
            process = subprocess.Popen(
                [sys.executable, "-m", "api"],
                env=environment(settings, DARKROOM_PORT=str(port), DARKROOM_MAX_WAITING_PER_KEY="1000"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            ending.callback(process.wait, 20)
            ending.callback(process.terminate)
            urls.append(f"http://127.0.0.1:{port}")
        for url in urls:
            eventually(partial(_is_ready, url), 60, what=url)
        yield urls


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_bounds_are_exact_with_two_hundred_requests_at_once_over_two_processes(
    settings: Settings, stored: StoredKeys
) -> None:
    bounds = {
        "rate_limited": Limits(per_minute=70),
        "waiting_limit": Limits(waiting=70),
        "unfinished_limit": Limits(unfinished=70),
        "daily_limit": Limits(daily_megapixel_steps=70.5 * WORK),
    }
    keys = {code: stored.create(Access(name=code, limits=limits)) for code, limits in bounds.items()}

    with two_processes(settings) as urls, ExitStack() as ending, ThreadPoolExecutor(40) as threads:
        clients = [ending.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=60)) for url in urls]

        def ask(code: str, number: int) -> str:
            answer = clients[number % 2].post("/generate", json=RED, headers=of(keys[code]))
            return str(answer.json().get("code", answer.status_code))

        for code in bounds:
            told = Counter(threads.map(lambda number, code=code: ask(code, number), range(REQUESTS)))
            assert told == {"202": 70, code: REQUESTS - 70}
