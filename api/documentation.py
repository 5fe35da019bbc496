"""The OpenAPI document: FastAPI's, but with our problem documents instead of its own form of 422."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

REFERENCE = "#/components/schemas/{model}"


def install(app: FastAPI, errors: Sequence[type[BaseModel]]) -> None:
    """`errors` are the forms that errors have here."""
    by_fastapi = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = by_fastapi()  # which keeps it in app.openapi_schema
            _forget_validation_errors(document)
            _, forms = models_json_schema([(form, "serialization") for form in errors], ref_template=REFERENCE)
            document["components"]["schemas"].update(forms["$defs"])
        return by_fastapi()

    # FastAPI's own way to change the document.
    app.openapi = openapi  # type: ignore[method-assign]


def _forget_validation_errors(document: dict[str, Any]) -> None:
    """FastAPI adds them to each route that does not list a 422, and those cannot answer one."""
    for operations in document["paths"].values():
        for operation in operations.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
