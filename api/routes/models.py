"""GET /models: what can be asked for, and who serves it now."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.examples import MODEL_LIST
from api.keys import CallerDep
from api.problems import responses
from api.routes.jobs import ALWAYS
from api.services import ServicesDep
from darkroom.catalogue import ModelCard, Range, Size, StepReuse
from darkroom.inputs import Task
from darkroom.request import UPSCALE_FACTORS
from darkroom.upscaling import UPSCALER
from darkroom.workers import lanes_of

router = APIRouter(tags=["models"])


class ModelView(BaseModel):
    id: str
    title: str
    summary: str
    license: str
    is_default: bool
    size: Size
    steps: Range[int]
    guidance_scale: Range[float]
    schedulers: list[str] = Field(description="Those that a request may name; `scheduler` is the default.")
    scheduler: str
    negative_prompt: bool
    tasks: list[Task] = Field(description="What it can be asked for, by the inputs of a request.")
    max_images: int = Field(description="Images that one edit may take.")
    controlnets: list[str] = Field(description="Those that a request may name.")
    step_reuse: StepReuse = Field(description="What a request gets that does not say, and the most it may ask for.")
    lanes: int = Field(description="Jobs of it that can run at the same time now; 0 when no worker serves it.")


class ModelList(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [MODEL_LIST]})

    models: list[ModelView]
    max_images_per_job: int = Field(description="Largest `n` of a request.")
    max_prompt_chars: int = Field(description="Longest prompt taken, characters.")
    upscales: list[int] = Field(description="Factors of `POST /images/{id}/upscale`; none while no worker upscales.")


@router.get("/models", summary="List models", responses=responses(*ALWAYS))
def list_models(caller: CallerDep, services: ServicesDep) -> ModelList:
    workers = services.workers()
    settings = services.settings
    return ModelList(
        models=[
            _view(card, settings.default_model, lanes_of(workers, card.id))
            for card in services.catalogue.values()
            if caller.may_use(card.id)
        ],
        max_images_per_job=settings.max_images_per_job,
        max_prompt_chars=settings.max_prompt_chars,
        upscales=list(UPSCALE_FACTORS) if lanes_of(workers, UPSCALER) else [],
    )


def _view(card: ModelCard, default: str, lanes: int) -> ModelView:
    shown = {name: getattr(card, name) for name in ModelView.model_fields.keys() & ModelCard.model_fields.keys()}
    shown["controlnets"] = list(card.controlnets)
    return ModelView(**shown, is_default=card.id == default, lanes=lanes)
