"""Addresses, parameters and headers that are wrong."""

import httpx
import pytest

from tests.api.problems import post, problem_of

UNKNOWN_JOB = "0" * 28


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"/jobs/{UNKNOWN_JOB}", 404, "unknown_job"),
        ("GET", "/jobs/x", 404, "unknown_job"),
        ("GET", "/jobs/%00", 404, "unknown_job"),
        ("GET", "/jobs/%ff", 404, "unknown_job"),
        ("GET", "/jobs/" + "x" * 5000, 404, "unknown_job"),
        ("GET", f"/jobs/{UNKNOWN_JOB}%0a", 404, "unknown_job"),
        ("POST", f"/jobs/{UNKNOWN_JOB}/cancel", 404, "unknown_job"),
        ("DELETE", f"/jobs/{UNKNOWN_JOB}", 404, "unknown_job"),
        ("GET", f"/jobs/{UNKNOWN_JOB}/events", 404, "unknown_job"),
        ("GET", f"/images/{UNKNOWN_JOB}-0", 404, "unknown_image"),
        ("GET", "/images/x", 404, "unknown_image"),
        ("GET", "/images/-", 404, "unknown_image"),
        ("GET", f"/images/{UNKNOWN_JOB}-0?size=medium", 422, "invalid_field"),
        ("GET", "/jobs?limit=0", 422, "invalid_field"),
        ("GET", "/jobs?limit=101", 422, "invalid_field"),
        ("GET", "/jobs?limit=ten", 422, "invalid_field"),
        ("GET", "/jobs?limit=" + "9" * 5000, 422, "invalid_field"),
        ("GET", "/jobs?cursor=x", 422, "invalid_field"),
        ("GET", f"/jobs?cursor={UNKNOWN_JOB}%0a", 422, "invalid_field"),
        ("GET", "/jobs?limt=5", 422, "unknown_field"),
        ("GET", "/jobs?limit=0&cursor=x", 422, "invalid_request"),
        ("GET", "/nothing", 404, "not_found"),
        ("PUT", "/jobs", 405, "method_not_allowed"),
        ("GET", "/generate", 405, "method_not_allowed"),
        ("GET", "/files/jobs/x/0.png", 403, "link_forged"),
        ("GET", "/files/%2e%2e/%2e%2e/etc/passwd", 403, "link_forged"),
    ],
)
def test_a_bad_address_is_refused_with_advice(
    method: str, path: str, status: int, code: str, shared_http: httpx.Client
) -> None:
    answer = shared_http.request(method, path)

    assert (answer.status_code, problem_of(answer)["code"]) == (status, code)


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/generate", "POST"), ("/jobs/x", "GET, DELETE"), ("/files/x", "GET, HEAD")],
)
def test_a_wrong_method_is_told_the_right_ones(path: str, methods: str, shared_http: httpx.Client) -> None:
    answer = shared_http.put(path)

    assert (answer.status_code, answer.headers["allow"]) == (405, methods)


@pytest.mark.parametrize("path", ["/generate?verbose=1", "/healthz?at=5"])
def test_parameters_that_no_route_has_are_left_alone_elsewhere(path: str, shared_http: httpx.Client) -> None:
    method = "POST" if path.startswith("/generate") else "GET"

    answer = shared_http.request(method, path, json={"prompt": "a red circle"} if method == "POST" else None)

    assert answer.is_success


def test_an_idempotency_key_has_a_bound(shared_http: httpx.Client) -> None:
    answer = post(shared_http, '{"prompt": "x"}', **{"Idempotency-Key": "k" * 256})

    assert answer.status_code == 422
    assert problem_of(answer)["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize("prefer", ["wait", "wait=", "wait=-1", "wait=x", "wait=1e9", "respond-async", ";;;,,,"])
def test_a_preference_that_cannot_be_read_is_ignored(prefer: str, shared_http: httpx.Client) -> None:
    answer = post(shared_http, '{"prompt": "x"}', Prefer=prefer)

    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers


@pytest.mark.parametrize("last", ["x", "1", "-", "1-", "-1-0", "0-0; DROP", "9" * 19 + "-0", "18446744073709551616-0"])
def test_a_last_event_id_from_elsewhere_is_refused(last: str, shared_http: httpx.Client) -> None:
    job = shared_http.post("/generate", json={"prompt": "x"}).json()

    answer = shared_http.get(f"/jobs/{job['id']}/events", headers={"Last-Event-ID": last})

    assert answer.status_code == 422
    assert problem_of(answer)["errors"][0]["field"] == "Last-Event-ID"
