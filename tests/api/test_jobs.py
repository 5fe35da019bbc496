"""Jobs: list, read, cancel, delete; and who may."""

import httpx
import pytest
from pydantic import SecretStr

from api.keys import read_keys
from darkroom.errors import GenerationFailed, Misconfigured, ObjectMissing
from darkroom.settings import Settings
from storage.keys import image_key
from tests.api.conftest import Ask
from tests.api.problems import problem_of
from tests.api.serving import Serving, serving
from tests.api.worker import PIXELS, Worker

ALICE, BOB = "a" * 16, "b" * 16


def keyed(settings: Settings) -> Settings:
    return settings.model_copy(update={"api_keys": SecretStr(f"alice:{ALICE}, bob:{BOB}")})


def of(api: Serving, key: str) -> httpx.Client:
    return httpx.Client(base_url=api.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False)


def test_a_job_is_followed_from_line_to_image(ask: Ask, http: httpx.Client, worker: Worker) -> None:
    job_id = ask(n=2, seed=7)["id"]
    job = worker.claim()
    worker.step(job, 1, 2)
    running = http.get(f"/jobs/{job_id}").json()
    worker.finish(job)
    done = http.get(f"/jobs/{job_id}").json()

    assert (running["status"], running["queue_position"]) == ("running", None)
    assert running["progress"] == {"step": 2, "steps": 20}
    assert running["started_at"]
    assert done["status"] == "succeeded"
    assert done["timings"]["queued_s"] >= 0
    assert done["timings"]["run_s"] >= 0
    assert [image["seed"] for image in done["images"]] == [7, 8]
    assert http.get(done["images"][0]["url"]).content == PIXELS


def test_a_failed_job_says_why(ask: Ask, http: httpx.Client, worker: Worker) -> None:
    job_id = ask()["id"]

    worker.claims.fail(worker.claim(), GenerationFailed("The model raised ValueError."))

    job = http.get(f"/jobs/{job_id}").json()
    assert job["status"] == "failed"
    assert job["error"] == {"code": "generation_failed", "message": "The model raised ValueError."}


def test_jobs_come_newest_first_and_page_by_page(ask: Ask, http: httpx.Client) -> None:
    ids = [ask()["id"] for _ in range(5)]

    first = http.get("/jobs", params={"limit": 2}).json()
    second = http.get("/jobs", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    last = http.get("/jobs", params={"limit": 2, "cursor": second["next_cursor"]}).json()

    assert [[job["id"] for job in page["jobs"]] for page in (first, second, last)] == [
        [ids[4], ids[3]],
        [ids[2], ids[1]],
        [ids[0]],
    ]
    assert last["next_cursor"] is None


def test_new_jobs_do_not_shift_the_pages_behind(ask: Ask, http: httpx.Client) -> None:
    ids = [ask()["id"] for _ in range(3)]
    first = http.get("/jobs", params={"limit": 2}).json()

    ask()

    second = http.get("/jobs", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [job["id"] for job in second["jobs"]] == [ids[0]]


def test_a_page_that_is_exactly_full_is_the_last(ask: Ask, http: httpx.Client) -> None:
    for _ in range(2):
        ask()

    assert http.get("/jobs", params={"limit": 2}).json()["next_cursor"] is None


@pytest.mark.parametrize("runs", [False, True])
def test_a_job_is_canceled_however_often_it_is_said(runs: bool, ask: Ask, http: httpx.Client, worker: Worker) -> None:
    job_id = ask()["id"]
    if runs:
        worker.claim()

    answers = [http.post(f"/jobs/{job_id}/cancel") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["status"] == "canceled"
    assert worker.claims.claim_next("minilab", "gpu-1") is None


def test_a_finished_job_cannot_be_canceled(ask: Ask, http: httpx.Client, worker: Worker) -> None:
    job_id = ask()["id"]
    worker.make_next()

    answer = http.post(f"/jobs/{job_id}/cancel")

    assert answer.status_code == 409
    assert problem_of(answer)["code"] == "job_is_final"


def test_a_deleted_job_takes_its_images_along(ask: Ask, http: httpx.Client, worker: Worker, api: Serving) -> None:
    job_id = ask()["id"]
    worker.make_next()
    link = http.get(f"/jobs/{job_id}").json()["images"][0]["url"]

    answer = http.delete(f"/jobs/{job_id}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert http.get(f"/jobs/{job_id}").status_code == 404
    assert http.delete(f"/jobs/{job_id}").status_code == 404
    assert problem_of(http.get(link))["code"] == "object_missing"
    with pytest.raises(ObjectMissing):
        api.services.storage.get(image_key(job_id, 0, "png"))


@pytest.mark.parametrize("runs", [False, True])
def test_a_job_that_is_not_over_is_canceled_by_deleting_it(
    runs: bool, ask: Ask, http: httpx.Client, worker: Worker
) -> None:
    job_id = ask()["id"]
    job = worker.claim() if runs else None

    assert http.delete(f"/jobs/{job_id}").status_code == 204

    assert worker.claims.claim_next("minilab", "gpu-1") is None
    assert job is None or worker.claims.renew([job]) == {job.held_as}


def test_another_s_job_is_as_good_as_none(settings: Settings) -> None:
    with serving(keyed(settings)) as api, of(api, ALICE) as alice, of(api, BOB) as bob:
        job_id = alice.post("/generate", json={"prompt": "a red circle"}).json()["id"]
        theirs = [
            bob.get(f"/jobs/{job_id}"),
            bob.post(f"/jobs/{job_id}/cancel"),
            bob.delete(f"/jobs/{job_id}"),
            bob.get(f"/jobs/{job_id}/events"),
            bob.get(f"/images/{job_id}-0"),
        ]
        nobody_s = bob.get(f"/jobs/{'0' * 28}")

        assert [answer.status_code for answer in theirs] == [404] * 5
        assert problem_of(theirs[0])["detail"].replace(job_id, "") == problem_of(nobody_s)["detail"].replace(
            "0" * 28, ""
        )
        assert bob.get("/jobs").json()["jobs"] == []
        assert alice.get(f"/jobs/{job_id}").json()["status"] == "queued"


@pytest.mark.parametrize(
    "authorization",
    [None, "Bearer", f"Bearer {ALICE[:-1]}", f"Bearer {ALICE}x", f"Basic {ALICE}", ALICE, "Bearer alice"],
)
def test_without_a_right_key_nothing_is_served(authorization: str | None, settings: Settings) -> None:
    headers = {"Authorization": authorization} if authorization else {}

    with serving(keyed(settings)) as api:
        answers = [
            httpx.request(method, api.url + path, headers=headers, json=body, trust_env=False)
            for method, path, body in (
                ("POST", "/generate", {"prompt": "a red circle"}),
                ("GET", "/jobs", None),
                ("GET", "/models", None),
                ("GET", f"/images/{'0' * 28}-0", None),
            )
        ]

    assert [problem_of(answer)["code"] for answer in answers] == ["unauthorized"] * 4
    assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs", "/openapi.json"])
def test_probes_and_documentation_need_no_key(path: str, settings: Settings) -> None:
    with serving(keyed(settings)) as api:
        assert httpx.get(api.url + path, trust_env=False).status_code == 200


def test_several_keys_may_belong_to_one_name_so_that_they_can_be_changed() -> None:
    keys = read_keys(Settings(api_keys=SecretStr(f"alice:{ALICE},alice:{BOB}")))

    assert (keys.owner_of(ALICE), keys.owner_of(BOB), keys.owner_of("c" * 16)) == ("alice", "alice", None)


def test_keys_are_not_kept_as_they_are() -> None:
    keys = read_keys(Settings(api_keys=SecretStr(f"alice:{ALICE}")))

    assert ALICE not in repr(vars(keys))


@pytest.mark.parametrize(
    "listed",
    ["alice", "alice:", f":{ALICE}", "alice:short", f"al ice:{ALICE}", f"alice:{'é' * 16}", "alice:" + " " * 16],
)
def test_a_malformed_list_of_keys_is_refused_at_the_start(listed: str) -> None:
    with pytest.raises(Misconfigured, match="name:key"):
        read_keys(Settings(api_keys=SecretStr(listed)))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com"])
def test_an_open_door_to_other_machines_is_refused_at_the_start(host: str) -> None:
    with pytest.raises(Misconfigured, match="DARKROOM_API_KEYS is empty"):
        read_keys(Settings(host=host))

    assert read_keys(Settings(host=host, api_keys=SecretStr(f"alice:{ALICE}")))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_without_keys_this_machine_alone_is_served(host: str) -> None:
    assert not read_keys(Settings(host=host))
