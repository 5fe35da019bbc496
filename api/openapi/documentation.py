"""The OpenAPI document: FastAPI's, but with our problem documents instead of its own form of 422.

It is this server's: it asks for a key only where the server does, and has the bounds of the server's own models.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.openapi.request_schema import bound

# Codes of refusals that only a server with keys gives.
KEYS_ARE_AT_FAULT = frozenset(
    {"unauthorized", "key_expired", "key_revoked", "operators_only", "priority_not_allowed", "model_not_allowed"}
)
REFERENCE = "#/components/schemas/{model}"


def install(app: FastAPI, errors: Sequence[type[BaseModel]]) -> None:
    """`errors` are the forms that errors have here."""
    by_fastapi = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = by_fastapi()  # which keeps it in app.openapi_schema
            _forget_validation_errors(document)
            _, forms = models_json_schema([(form, "serialization") for form in errors], ref_template=REFERENCE)
            schemas = document["components"]["schemas"]
            schemas.update(forms["$defs"])
            bound(schemas, app.state.services.catalogue, app.state.services.settings)
            if not app.state.keys:
                _forget_keys(document)
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


def _forget_keys(document: dict[str, Any]) -> None:
    """Where everybody may do everything, nobody is refused for a key."""
    document["components"].pop("securitySchemes", None)
    for operations in document["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)
            for status in ("401", "403"):
                answer = operation["responses"].get(status, {})
                if KEYS_ARE_AT_FAULT.issuperset(_codes(answer)):
                    operation["responses"].pop(status, None)


def _codes(answer: dict[str, Any]) -> set[str]:
    return {code for content in answer.get("content", {}).values() for code in content.get("examples", {})}
