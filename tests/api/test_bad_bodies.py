"""Whatever is wrong with a body has a status, a stable code, and a sentence that says what to do."""

import json

import httpx
import pytest

from tests.api.problems import post, problem_of
from tests.api.serving import Serving, spoken

HALF_A_PAIR = "\\ud800"


def with_fields(text: str) -> str:
    return f'{{"prompt": "a red circle", {text}}}'


@pytest.mark.parametrize(
    ("body", "status", "code", "says"),
    [
        ('{"prompt": ""}', 422, "prompt_empty", "say what to draw"),
        ('{"prompt": " \\n\\t\\u00a0"}', 422, "prompt_empty", "say what to draw"),
        (json.dumps({"prompt": "x" * 4001}), 422, "prompt_too_long", "4000 at most"),
        (with_fields(f'"negative_prompt": "{"x" * 4001}"'), 422, "prompt_too_long", "negative_prompt has 4001"),
        (with_fields('"width": 100'), 422, "size_off_grid", "multiples of 16 pixels. Nearest: 96"),
        (with_fields('"height": 32'), 422, "size_out_of_range", "64 to 256"),
        (with_fields('"width": 272'), 422, "size_out_of_range", "64 to 256"),
        (with_fields('"width": -128'), 422, "size_out_of_range", "64 to 256"),
        (with_fields('"steps": 0'), 422, "steps_out_of_range", "choose 1 to"),
        (with_fields('"steps": 100000'), 422, "steps_out_of_range", "choose 1 to"),
        (with_fields('"n": 0'), 422, "n_out_of_range", "choose 1 to 8"),
        (with_fields('"n": 9'), 422, "n_out_of_range", "choose 1 to 8"),
        (with_fields('"seed": -1'), 422, "seed_out_of_range", "choose 0 to 4294967295"),
        (with_fields('"seed": 4294967296'), 422, "seed_out_of_range", "choose 0 to 4294967295"),
        (with_fields('"guidance_scale": -0.5'), 422, "guidance_scale_out_of_range", "choose 0 to"),
        (with_fields('"model": "sdxxl"'), 404, "unknown_model", "Known are: minilab"),
        (with_fields('"scheduler": "magic"'), 422, "unknown_scheduler", "Known are: dpmpp_2m"),
        (
            with_fields('"model": "flux.1-schnell", "negative_prompt": "fog"'),
            422,
            "negative_prompt_unsupported",
            "takes no negative prompt",
        ),
        (with_fields('"stepz": 4'), 422, "unknown_field", "no field 'stepz'"),
        ('{"steps": 4}', 422, "missing_field", "prompt is missing"),
        (with_fields('"output_format": "gif"'), 422, "invalid_field", "'png', 'webp' or 'jpeg'"),
        (with_fields('"priority": "urgent"'), 422, "invalid_field", "'interactive' or 'bulk'"),
        (with_fields('"step_reuse": "most"'), 422, "invalid_field", "'off', 'low', 'medium' or 'high'"),
        (with_fields('"model": "flux.1-schnell", "step_reuse": "low"'), 422, "step_reuse_unsupported", "up to 'off'"),
        # Numbers that are none, or not of the kind.
        (with_fields('"guidance_scale": NaN'), 422, "guidance_scale_out_of_range", "choose 0 to"),
        (with_fields('"guidance_scale": Infinity'), 422, "guidance_scale_out_of_range", "choose 0 to"),
        (with_fields('"guidance_scale": 1e400'), 422, "guidance_scale_out_of_range", "choose 0 to"),
        (with_fields('"guidance_scale": "4"'), 422, "invalid_field", "valid number"),
        (with_fields('"guidance_scale": true'), 422, "invalid_field", "valid number"),
        (with_fields('"steps": true'), 422, "invalid_field", "valid integer"),
        (with_fields('"steps": 4.5'), 422, "invalid_field", "valid integer"),
        (with_fields('"steps": "4"'), 422, "invalid_field", "valid integer"),
        (with_fields('"preview_every": -1'), 422, "preview_every_out_of_range", "choose 0 to 1000"),
        (with_fields('"preview_every": 1001'), 422, "preview_every_out_of_range", "choose 0 to 1000"),
        (with_fields('"seed": NaN'), 422, "invalid_field", "valid integer"),
        (with_fields(f'"seed": {"9" * 4000}'), 422, "seed_out_of_range", "(4000 digits)"),
        (with_fields(f'"seed": {"9" * 5000}'), 400, "malformed_json", "Send JSON"),
        (with_fields(f'"guidance_scale": {"9" * 4000}'), 422, "invalid_field", "valid number"),
        # Text that is none.
        (f'{{"prompt": "{HALF_A_PAIR}"}}', 422, "invalid_field", "half of a surrogate pair"),
        (with_fields(f'"model": "{HALF_A_PAIR}"'), 422, "invalid_field", "half of a surrogate pair"),
        (with_fields(f'"scheduler": "{HALF_A_PAIR}"'), 422, "invalid_field", "half of a surrogate pair"),
        (with_fields(f'"negative_prompt": "{HALF_A_PAIR}"'), 422, "invalid_field", "half of a surrogate pair"),
        (with_fields(f'"{HALF_A_PAIR}": 1'), 422, "invalid_field", "unicode"),
        (with_fields('"a\\u0000b": 1'), 422, "unknown_field", r"no field 'a\x00b'"),
        ('{"prompt": 5}', 422, "invalid_field", "prompt: Input should be a valid string"),
        ('{"prompt": null}', 422, "invalid_field", "prompt: Input should be a valid string"),
        # Bodies that are no object.
        ("[]", 422, "invalid_field", "body: "),
        ("null", 422, "invalid_field", "body: "),
        ('"a red circle"', 422, "invalid_field", "body: "),
        ("", 422, "missing_field", "body is missing"),
        ("{", 400, "malformed_json", "quotes, commas"),
        ("{'prompt': 'x'}", 400, "malformed_json", "quotes, commas"),
        ('{"prompt": "x"} {}', 400, "malformed_json", "quotes, commas"),
        (b'{"prompt": "\xff"}', 400, "malformed_json", "UTF-8"),
        ("[" * 30_000, 400, "malformed_json", "Send JSON"),
        ('{"prompt":' + "[" * 30_000 + "]" * 30_000 + "}", 400, "malformed_json", "Send JSON"),
        ("x" * (4 * 2**20 + 1), 413, "body_too_large", "4194304 bytes"),
    ],
)
def test_a_bad_body_is_refused_with_advice(
    body: str | bytes, status: int, code: str, says: str, shared_http: httpx.Client
) -> None:
    answer = post(shared_http, body)

    problem = problem_of(answer)
    assert (answer.status_code, problem["code"]) == (status, code)
    assert says in problem["detail"]
    assert len(answer.content) < 1000


def test_all_faults_are_told_at_once(shared_http: httpx.Client) -> None:
    body = {"prompt": "", "width": 100, "height": 9999, "steps": 0, "n": 0, "seed": -1, "scheduler": "magic"}

    problem = problem_of(shared_http.post("/generate", json=body))

    assert problem["code"] == "invalid_request"
    assert [(fault["field"], fault["code"]) for fault in problem["errors"]] == [
        ("prompt", "prompt_empty"),
        ("width", "size_off_grid"),
        ("height", "size_out_of_range"),
        ("width", "image_too_large"),
        ("steps", "steps_out_of_range"),
        ("n", "n_out_of_range"),
        ("seed", "seed_out_of_range"),
        ("scheduler", "unknown_scheduler"),
    ]


def test_faults_of_form_are_told_at_once_too(shared_http: httpx.Client) -> None:
    problem = problem_of(shared_http.post("/generate", json={"prompt": 5, "width": "128", "stepz": 4}))

    assert [fault["code"] for fault in problem["errors"]] == ["invalid_field", "invalid_field", "unknown_field"]


def test_five_thousand_faults_are_not_all_repeated(shared_http: httpx.Client) -> None:
    body = {"prompt": "x"} | {f"field {number}": 1 for number in range(3000)}

    problem = problem_of(shared_http.post("/generate", json=body))

    assert len(problem["errors"]) == 20
    assert problem["detail"].endswith("And 2980 more.")


def test_a_single_fault_stands_in_errors_with_its_field(shared_http: httpx.Client) -> None:
    problem = problem_of(shared_http.post("/generate", json={"prompt": "x", "steps": 0}))

    assert problem["errors"] == [{"field": "steps", "code": "steps_out_of_range", "message": problem["detail"]}]


def test_what_was_sent_is_never_repeated_where_it_may_be_a_prompt(shared_http: httpx.Client) -> None:
    answer = post(shared_http, json.dumps({"prompt": ["a secret"], "negative_prompt": {"another": "secret"}}))

    assert answer.status_code == 422
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "; charset"},
        {},
    ],
)
def test_a_body_that_is_not_declared_as_json_is_refused(headers: dict[str, str], shared_http: httpx.Client) -> None:
    answer = shared_http.post("/generate", content=b'{"prompt": "a red circle"}', headers=headers)

    assert answer.status_code == 415
    assert problem_of(answer)["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"prompt": "a red circle"}', "application/json; charset=utf-8"),
        ('{"prompt": "a red circle"}', "application/vnd.api+json"),
        ('\ufeff{"prompt": "a red circle"}', "application/json"),
        ('{"prompt": "a red circle", "steps": 4.0, "seed": 7e0}', "application/json"),
        ('{"prompt": "a square", "prompt": "a red circle"}', "application/json"),
        ('{"prompt": "a red circle", "seed": null, "steps": null, "model": null}', "application/json"),
    ],
)
def test_what_only_looks_odd_is_taken(body: str, content_type: str, http: httpx.Client) -> None:
    answer = http.post("/generate", content=body.encode(), headers={"Content-Type": content_type})

    assert answer.status_code == 202
    assert answer.json()["request"]["prompt"] == "a red circle"


def test_control_characters_in_a_prompt_come_through_unchanged(http: httpx.Client) -> None:
    job = http.post("/generate", json={"prompt": "a\x00b\x1f\x7f\U0001f534"}).json()

    assert http.get(f"/jobs/{job['id']}").json()["request"]["prompt"] == "a\x00b\x1f\x7f\U0001f534"


def test_a_body_of_unknown_length_is_refused_once_it_is_too_large(shared_http: httpx.Client) -> None:
    answer = post(shared_http, (b"x" * 65_536 for _ in range(65)))

    assert answer.status_code == 413
    assert problem_of(answer)["code"] == "body_too_large"


def test_a_body_that_announces_too_much_is_refused_before_it_is_sent(shared_api: Serving) -> None:
    answer = spoken(shared_api, "POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n\r\n")

    assert answer.startswith("HTTP/1.1 413 ")
    assert '"code":"body_too_large"' in answer


@pytest.mark.parametrize(
    "length", ["abc", "-1", "1.5", "9" * 40, "9" * 5000, "5\r\nContent-Length: 6"], ids=lambda text: text[:20]
)
def test_a_content_length_that_is_none_does_no_harm(length: str, shared_api: Serving) -> None:
    answer = spoken(shared_api, f"POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{{}}")

    assert answer.split()[1] in {"400", "413"}


def test_a_client_that_leaves_before_its_body_is_whole_makes_no_job(api: Serving, http: httpx.Client) -> None:
    request = (
        "POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
        '{"prompt": "a red circle"}'
    )

    spoken(api, request)

    assert http.get("/jobs").json()["jobs"] == []
