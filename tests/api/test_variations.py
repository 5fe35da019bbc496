"""POST /images/{id}/variations."""

import httpx
import pytest

from tests.api.conftest import Ask
from tests.api.input_pictures import picture
from tests.api.problems import problem_of
from tests.api.serving import Serving
from tests.api.worker import Worker


@pytest.fixture
def image_id(worker: Worker, ask: Ask, api: Serving) -> str:
    ask(prompt="a boat", seed=7, steps=12, scheduler="euler", guidance_scale=3.0, output_format="webp", width=64)
    job = worker.make_next()
    api.services.storage.put(job_image_key(job.id), picture(64, 128), content_type="image/png")
    return f"{job.id}-0"


def job_image_key(job_id: str) -> str:
    return f"jobs/{job_id}/0.png"


def test_variations_repeat_the_request_from_its_image_with_other_seeds(http: httpx.Client, image_id: str) -> None:
    answer = http.post(f"/images/{image_id}/variations", json={"strength": 0.5, "n": 3, "seed": 100})

    request = answer.json()["request"]
    assert answer.status_code == 202
    assert (request["prompt"], request["steps"], request["scheduler"]) == ("a boat", 12, "euler")
    assert (request["task"], request["strength"], request["n"], request["seed"]) == ("image-to-image", 0.5, 3, 100)
    assert (request["width"], request["height"], request["output_format"]) == (64, 128, "webp")
    assert request["image"][0].startswith("upl_")


def test_a_whole_number_may_be_written_as_in_other_languages(http: httpx.Client, image_id: str) -> None:
    varied = http.post(f"/images/{image_id}/variations", json={"n": 2.0, "seed": 7.0})
    upscaled = http.post(f"/images/{image_id}/upscale", json={"factor": 2.0})

    assert (varied.json()["request"]["n"], upscaled.json()["request"]["upscale"]) == (2, 2)


def test_without_a_body_there_are_four(http: httpx.Client, image_id: str) -> None:
    first, second = (http.post(f"/images/{image_id}/variations").json()["request"] for _ in range(2))

    assert (first["n"], first["strength"]) == (4, 0.6)
    assert first["seed"] != second["seed"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"strength": 0.0}, "strength_out_of_range"),
        ({"n": 9}, "n_out_of_range"),
        ({"stength": 1.0}, "unknown_field"),
        ({"seed": -1}, "seed_out_of_range"),
    ],
)
def test_bad_variations_are_refused(body: dict[str, object], code: str, http: httpx.Client, image_id: str) -> None:
    assert problem_of(http.post(f"/images/{image_id}/variations", json=body))["code"] == code


def test_an_image_that_is_not_there_has_no_variations(http: httpx.Client) -> None:
    assert problem_of(http.post(f"/images/{'0' * 28}-0/variations"))["code"] == "unknown_image"
