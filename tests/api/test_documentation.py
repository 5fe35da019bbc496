"""What a stranger learns from /openapi.json, /docs and docs/api.md is complete, and true."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema_rs import Draft202012Validator
from playwright.sync_api import sync_playwright
from pydantic import BaseModel, SecretStr

from api import examples
from api.application import create_app
from api.error_codes import ERROR_CODES, HTTP_STATUS, errors_table
from api.operations.views import Operations
from api.routes.models import ModelList
from api.views import JobPage, JobView
from darkroom.catalogue import ModelCard, read_catalogue
from darkroom.completion import FAULT_CODES
from darkroom.errors import DarkroomError
from darkroom.settings import Settings
from tests.api.serving import Serving
from tests.services import Chromium

# Of processes that do not start, of workers, and of classes that only group others.
NEVER_ANSWERED = {
    "misconfigured", "stack_failed", "demo_failed", "refused", "unavailable", "job_taken", "worker_stopping",
    "weights_missing", "weights_refused", "out_of_memory", "generation_failed", "deadline_exceeded",
    "delivery_failed", "job_failed", "input_missing", "fetch_failed",
    "limit_reached", "unknown_key", "key_name_taken",
}  # fmt: skip
# Of any route: these come before one is chosen.
OF_NO_ROUTE = {"not_found", "method_not_allowed", "untrusted_host", "untrusted_origin"}


def error_classes(of: type[DarkroomError] = DarkroomError) -> Iterator[type[DarkroomError]]:
    yield of
    for kind in of.__subclasses__():
        yield from error_classes(kind)


@pytest.fixture
def document() -> dict[str, Any]:
    """Of a server that asks for keys, which has more to say."""
    keyed = Settings(signing_key=SecretStr("s" * 32), api_keys=SecretStr("alice:" + "a" * 24))
    return create_app(keyed).openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_error_has_a_status() -> None:
    importlib.import_module("api.application")  # with the API's own errors
    codes = {kind.code for kind in error_classes()} | set(FAULT_CODES)

    assert codes - set(HTTP_STATUS) <= NEVER_ANSWERED
    assert not NEVER_ANSWERED & set(HTTP_STATUS)


def test_every_status_belongs_to_an_error_that_something_answers(repository: Path) -> None:
    sources = " ".join(
        path.read_text()
        for folder in ("api", "darkroom")
        for path in (repository / folder).rglob("*.py")
        if path.name != "error_codes.py"
    )
    ranges = {code for code in FAULT_CODES if code.endswith("_out_of_range")}

    assert [code for code in HTTP_STATUS if f'"{code}"' not in sources and code not in ranges] == []


def test_every_operation_says_what_it_is_for_and_which_errors_it_has(document: dict[str, Any]) -> None:
    listed = set()
    for name, operation in operations(document):
        assert operation["summary"], name
        for status, response in operation["responses"].items():
            if int(status) >= 400 and "/readyz" not in name:
                [(media_type, content)] = response["content"].items()
                known = (
                    ("application/json", "OpenAIError") if "/v1/" in name else ("application/problem+json", "Problem")
                )
                assert (media_type, content["schema"]["$ref"].rpartition("/")[2]) == known, name
                assert {HTTP_STATUS[code] for code in content["examples"]} == {int(status)}
                listed |= set(content["examples"])

    assert listed == set(ERROR_CODES) - OF_NO_ROUTE


def test_a_key_is_asked_for_in_the_document_only_where_the_server_asks(
    document: dict[str, Any], shared_http: httpx.Client
) -> None:
    without = shared_http.get("/openapi.json").json()

    assert document["paths"]["/jobs"]["get"]["security"] == [{"HTTPBearer": []}]
    assert "HTTPBearer" in document["components"]["securitySchemes"]
    assert "security" not in json.dumps(without)
    assert "unauthorized" not in json.dumps(without["paths"])


@pytest.mark.parametrize("card", read_catalogue(Settings().catalogue).values(), ids=lambda card: card.id)
def test_the_document_s_sizes_are_those_that_a_model_draws(card: ModelCard, document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    validator = Draft202012Validator({"$ref": "#/components/schemas/GenerateBody", "components": {"schemas": schemas}})
    size, grid = card.size, card.size.multiple_of
    body = {"prompt": "x", "model": card.id}
    edge = [size.min, size.max, size.width, *(grid * round(size.max_pixels / side / grid) for side in (size.max, 1040))]
    sides = [side + more for side in edge for more in (-grid, 0, grid, 1) if side + more > 0]

    wrong = [
        (width, height)
        for width in sides
        for height in sides
        if validator.is_valid({**body, "width": width, "height": height}) != size.allows(width, height)
    ]
    alone = [side for side in sides if validator.is_valid({**body, "height": side}) != size.allows(size.width, side)]

    assert (wrong, alone) == ([], [])


def test_every_operation_that_answers_json_shows_an_example(document: dict[str, Any]) -> None:
    shapes = document["components"]["schemas"]
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            content = response.get("content", {}).get("application/json")
            if content:
                shape = shapes[content["schema"]["$ref"].rpartition("/")[2]]
                has_one = "example" in content or "examples" in shape
                assert has_one or all("examples" in field for field in shape["properties"].values()), (name, status)


def test_bodies_show_examples_that_are_taken(document: dict[str, Any], http: httpx.Client) -> None:
    shown = document["components"]["schemas"]["GenerateBody"]["examples"]

    assert [http.post("/generate", json=body).status_code for body in shown] == [202] * len(shown)


@pytest.mark.parametrize(
    ("shape", "example"),
    [
        (JobView, examples.JOB),
        (JobView, examples.QUEUED_JOB),
        (JobPage, examples.JOB_PAGE),
        (ModelList, examples.MODEL_LIST),
        (Operations, examples.OPERATIONS),
    ],
)
def test_examples_have_the_shape_that_they_are_examples_of(shape: type[BaseModel], example: dict[str, Any]) -> None:
    shown = shape.model_validate(example).model_dump(mode="json")

    assert json.dumps(shown).replace(".000000Z", "Z")
    assert set(shown) == set(example)


def test_fastapi_s_own_form_of_error_is_nowhere(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in json.dumps(document)


def test_the_page_for_clients_lists_every_error(repository: Path) -> None:
    assert errors_table() in (repository / "docs/api.md").read_text(encoding="utf-8")


def test_the_page_comes_from_this_server_alone(shared_http: httpx.Client) -> None:
    page = shared_http.get("/docs").text

    assert "://" not in page.replace("http://www.w3.org", "")


@pytest.mark.browser
def test_the_page_shows_every_operation(
    shared_api: Serving, chromium: Chromium, document: dict[str, Any], tmp_path: Path
) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.executable, args=list(chromium.arguments))
        page = browser.new_page(viewport={"width": 1200, "height": 1600})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{shared_api.url}/docs")
        page.wait_for_selector(".opblock-summary-path")
        shown = page.locator(".opblock-summary-path").all_inner_texts()
        page.screenshot(path=tmp_path / "docs.png")
        browser.close()

    assert {path.replace("\u200b", "") for path in shown} == set(document["paths"])
    assert all(url.startswith((shared_api.url, "data:")) for url in asked)
