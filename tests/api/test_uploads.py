"""POST /uploads, and requests that name what was uploaded."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from darkroom.job_store import keys
from darkroom.job_store.inputs import InputRecords
from darkroom.job_store.redis_client import Client
from darkroom.settings import Settings
from storage.keys import input_key
from tests.api.conftest import Ask
from tests.api.input_pictures import decoded, encoded, picture, with_hole
from tests.api.problems import problem_of
from tests.api.serving import Serving, serving
from tests.api.worker import Worker


def uploaded(http: httpx.Client, data: bytes) -> dict[str, Any]:
    answer = http.post("/uploads", content=data, headers={"Content-Type": "image/png"})
    assert answer.status_code == 201, answer.text
    upload: dict[str, Any] = answer.json()
    return upload


def files(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.images_dir.rglob("*") if path.is_file())


def test_a_picture_is_kept_for_a_day_in_one_plain_form(api: Serving, http: httpx.Client) -> None:
    upload = uploaded(http, picture(60, 40))

    assert (upload["width"], upload["height"], upload["has_alpha"]) == (60, 40, False)
    assert upload["bytes"] == len(picture(60, 40))
    left = datetime.fromisoformat(upload["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(hours=24)
    assert decoded(api.services.storage.get(input_key(upload["id"]))).size == (60, 40)


def test_a_form_s_file_is_the_same_as_a_body(http: httpx.Client) -> None:
    data = picture()

    answer = http.post("/uploads", files={"file": ("any name.jpg", data, "text/html")}, data={"note": "x"})

    assert answer.status_code == 201
    assert answer.json()["id"] == uploaded(http, data)["id"]


def test_the_same_bytes_of_an_owner_are_kept_once(http: httpx.Client, settings: Settings) -> None:
    first, second, other = (uploaded(http, data) for data in (picture(), picture(), picture(colour="red")))

    assert first["id"] == second["id"] != other["id"]
    assert files(settings) == sorted(f"{each['id']}.png" for each in (first, other))


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"", "image/png", 422, "input_not_a_picture"),
        (b"<html>", "image/png", 422, "input_not_a_picture"),
        (picture()[:60], "image/png", 422, "input_damaged"),
        (picture(4, 4), "image/png", 422, "input_too_small"),
        (picture(), "multipart/form-data; boundary=x", 400, "malformed_form"),
        (picture(), "multipart/form-data", 400, "malformed_form"),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 422, "missing_field"),
    ],
)
def test_what_is_no_picture_is_refused_and_leaves_nothing(
    body: bytes, content_type: str, status: int, code: str, http: httpx.Client, settings: Settings, client: Client
) -> None:
    answer = http.post("/uploads", content=body, headers={"Content-Type": content_type})

    assert (answer.status_code, problem_of(answer)["code"]) == (status, code)
    assert files(settings) == []
    assert client.keys(f"{keys.INPUT.prefix}*") == []


def test_two_files_in_one_form_are_refused(http: httpx.Client) -> None:
    answer = http.post("/uploads", files=[("file", picture()), ("file", picture())])

    assert problem_of(answer)["code"] == "malformed_form"


def test_too_many_bytes_are_refused_before_they_are_read(settings: Settings) -> None:
    small = settings.model_copy(update={"max_upload_bytes": 2048})
    with serving(small) as it, httpx.Client(base_url=it.url, trust_env=False) as http:
        answer = http.post("/uploads", content=b"x" * 100_000)
        inside_a_form = http.post("/uploads", content=b"x" * 3000)

    assert problem_of(answer)["code"] == "body_too_large"
    assert problem_of(inside_a_form)["code"] == "input_too_large"


def test_a_request_names_an_upload_and_takes_its_shape(http: httpx.Client, ask: Ask) -> None:
    upload = uploaded(http, picture(200, 100))

    job = ask(image=upload["id"], strength=0.5)

    assert job["request"]["task"] == "image-to-image"
    assert job["request"]["image"] == [upload["id"]]
    assert (job["request"]["width"], job["request"]["height"]) == (176, 96)


def test_data_and_an_earlier_image_become_inputs_of_their_own(
    http: httpx.Client, ask: Ask, worker: Worker, api: Serving
) -> None:
    earlier = worker_made(worker, ask, api)

    by_data = ask(image="data:image/png;base64," + base64.b64encode(picture(96, 96)).decode())
    by_image = ask(image=earlier)

    for job, size in ((by_data, (96, 96)), (by_image, (64, 64))):
        [input_id] = job["request"]["image"]
        assert input_id.startswith("upl_")
        assert decoded(api.services.storage.get(input_key(input_id))).size == size


def worker_made(worker: Worker, ask: Ask, api: Serving) -> str:
    ask()
    job = worker.make_next()
    api.services.storage.put(f"jobs/{job.id}/0.png", picture(), content_type="image/png")
    return f"{job.id}-0"


def test_a_mask_and_the_image_s_own_transparency_ask_for_inpainting(http: httpx.Client, ask: Ask) -> None:
    image, mask = uploaded(http, with_hole()), uploaded(http, picture(colour="white"))

    by_mask, by_alpha = ask(image=image["id"], mask=mask["id"]), ask(image=image["id"], mask="alpha")

    assert {job["request"]["task"] for job in (by_mask, by_alpha)} == {"inpainting"}
    assert by_mask["request"]["mask"] == mask["id"]
    assert by_alpha["request"]["mask"] == "alpha"


def test_another_owner_s_upload_and_image_are_as_good_as_none(settings: Settings, client: Client) -> None:
    keys = {"alice": "a" * 20, "bob": "b" * 20}
    keyed = settings.model_copy(update={"api_keys": SecretStr(",".join(f"{name}:{key}" for name, key in keys.items()))})
    with serving(keyed) as it:
        alice, bob = (
            httpx.Client(base_url=it.url, trust_env=False, headers={"Authorization": f"Bearer {key}"})
            for key in keys.values()
        )
        with alice, bob:
            upload = uploaded(alice, picture())
            own = uploaded(bob, picture())
            job = alice.post("/generate", json={"prompt": "x"}).json()
            worker = Worker(client, keyed, it.services.storage)
            worker.make_next()
            refusals = [
                bob.post("/generate", json={"prompt": "x", "image": reference})
                for reference in (upload["id"], f"{job['id']}-0")
            ]
            anonymous = httpx.post(f"{it.url}/uploads", content=picture(), trust_env=False)

    assert own["id"] != upload["id"]
    assert [(each.status_code, problem_of(each)["code"]) for each in refusals] == [
        (404, "unknown_upload"), (404, "unknown_image"),
    ]  # fmt: skip
    assert anonymous.status_code == 401


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"image": "upl_" + "0" * 24}, "unknown_upload"),
        ({"image": "0" * 28 + "-0"}, "unknown_image"),
        ({"image": "a cat"}, "input_reference_invalid"),
        ({"image": "data:image/png;base64,@@@"}, "input_data_malformed"),
        ({"image": "data:image/png,raw"}, "input_data_malformed"),
        ({"image": "data:image/png;base64,AAAA"}, "input_not_a_picture"),
        ({"image": []}, "invalid_field"),
        ({"image": ["a cat", "upl_x"]}, "invalid_request"),
        ({"image": ["a cat"] * 17}, "invalid_field"),
        ({"mask": "alpha"}, "mask_without_image"),
        ({"image": "DATA", "mask": "alpha"}, "mask_without_alpha"),
        ({"image": "DATA", "strength": 0.0}, "strength_out_of_range"),
        ({"image": ["DATA", "DATA"]}, "too_many_images"),
        ({"image": "DATA", "model": "flux.2-dev", "mask": "DATA"}, "task_unsupported"),
        ({"image": "DATA", "steps": 0}, "steps_out_of_range"),
        ({"controlnet": "edges", "control_image": "DATA"}, "unknown_controlnet"),
        ({"image": "DATA", "fit": "bend"}, "invalid_field"),
        ({"image": "DATA", "seed": -1}, "seed_out_of_range"),
    ],
)
def test_two_hundred_bad_requests_leave_no_object_and_no_key(
    fields: dict[str, Any], code: str, http: httpx.Client, settings: Settings, client: Client
) -> None:
    """Together: 18 kinds, 12 of each."""
    data = "data:image/png;base64," + base64.b64encode(picture(80, 80, "pink")).decode()
    body = {name: data if value == "DATA" else value for name, value in fields.items()}
    if isinstance(body.get("image"), list):
        body["image"] = [data if each == "DATA" else each for each in body["image"]]

    codes = {problem_of(http.post("/generate", json={"prompt": "x"} | body))["code"] for _ in range(12)}

    assert codes == {code}
    assert files(settings) == []
    assert client.keys(f"{keys.INPUT.prefix}*") == []


def test_a_job_that_finds_no_place_in_line_leaves_nothing(http: httpx.Client, ask: Ask, settings: Settings) -> None:
    for _ in range(settings.max_waiting_per_key):
        ask()
    data = "data:image/png;base64," + base64.b64encode(picture(80, 80)).decode()

    answer = http.post("/generate", json={"prompt": "x", "image": data})

    assert problem_of(answer)["code"] == "waiting_limit"
    assert files(settings) == []


def test_an_input_goes_with_the_last_job_that_needs_it(
    api: Serving, http: httpx.Client, ask: Ask, settings: Settings, client: Client
) -> None:
    data = "data:image/png;base64," + base64.b64encode(picture(80, 80)).decode()
    first, second = ask(image=data), ask(image=data)
    records = InputRecords(client)
    assert first["request"]["image"] == second["request"]["image"]

    http.delete(f"/jobs/{first['id']}")
    records.drop_unused()
    assert records.due_files() == []
    http.delete(f"/jobs/{second['id']}")
    [input_id] = first["request"]["image"]

    assert client.zscore(keys.INPUTS_UNUSED(), input_id) is not None
    assert records.drop(input_id, until_ms=2**50)
    assert records.due_files() == [input_id]
    assert files(settings) == [f"{input_id}.png"]


def test_the_same_key_and_picture_give_the_same_job(http: httpx.Client) -> None:
    data = "data:image/png;base64," + base64.b64encode(encoded_noise()).decode()
    body, headers = {"prompt": "x", "image": data}, {"Idempotency-Key": "again"}

    first, second = (http.post("/generate", json=body, headers=headers).json() for _ in range(2))

    assert first["id"] == second["id"]


def encoded_noise() -> bytes:
    return encoded(decoded(picture()).convert("L"))
