"""GET /v1/models: the catalogue, as OpenAI's clients list it."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from api.keys import OwnerDep
from api.openai.errors import responses
from api.services import ServicesDep
from darkroom.errors import Fault, InvalidRequest

router = APIRouter(prefix="/v1/models", tags=["openai"])

ALWAYS = ("unauthorized", "redis_unavailable", "internal_error")
EXAMPLE: dict[str, Any] = {"id": "minilab", "object": "model", "created": 0, "owned_by": "darkroom"}


class ModelObject(BaseModel):
    """Of `created` nothing is known; sizes, steps and who serves it now are in `GET /models`."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "darkroom"


class ModelObjects(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"object": "list", "data": [EXAMPLE]}]})

    object: Literal["list"] = "list"
    data: list[ModelObject]


@router.get("", summary="List models, as OpenAI's clients do", responses=responses(*ALWAYS))
def list_model_objects(owner: OwnerDep, services: ServicesDep) -> ModelObjects:  # noqa: ARG001 - a key is asked for
    return ModelObjects(data=[ModelObject(id=model) for model in services.catalogue])


@router.get("/{model}", summary="Look a model up", responses=responses("unknown_model", *ALWAYS))
def read_model_object(model: str, owner: OwnerDep, services: ServicesDep) -> ModelObject:  # noqa: ARG001
    if model not in services.catalogue:
        known = ", ".join(services.catalogue)
        message = f"There is no model {model[:80]!r}. Known are: {known}."
        raise InvalidRequest([Fault("model", "unknown_model", message)])
    return ModelObject(id=model)
