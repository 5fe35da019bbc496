"""GET /usage: what a key has asked for, by day and model, and how much it may."""

import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.examples import USAGE
from api.keys import CallerDep
from api.problems import responses
from api.routes.jobs import ALWAYS
from api.services import ServicesDep
from darkroom.access.access import Limits
from darkroom.job_store.access.usage import KEPT_DAYS, Day, Used

router = APIRouter(tags=["jobs"])


class UsedView(BaseModel):
    jobs: int = Field(description="Jobs accepted; one canceled before a worker had it does not count.")
    megapixel_steps: float = Field(description="Their work: images x steps x megapixels, and more for edits.")


class DayView(UsedView):
    date: datetime.date = Field(description="A day of UTC.")
    models: dict[str, UsedView]


class UsageView(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [USAGE]})

    key: str
    limits: Limits = Field(description="Null where there is none.")
    days: list[DayView] = Field(description="Those with jobs, today first.")


class UsageQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    days: int = Field(default=KEPT_DAYS, ge=1, le=KEPT_DAYS, description="So many, today among them.")


@router.get(
    "/usage",
    summary="See what you have used",
    responses=responses("invalid_request", "invalid_field", "unknown_field", *ALWAYS),
)
def read_usage(caller: CallerDep, services: ServicesDep, query: Annotated[UsageQuery, Query()]) -> UsageView:
    found = services.usage.days(caller.name, query.days)
    return UsageView(key=caller.name, limits=caller.limits, days=[_day(day) for day in found])


def _day(day: Day) -> DayView:
    models = {name: _used(used) for name, used in day.models.items()}
    return DayView(date=day.date, models=models, **_used(day.total).model_dump())


def _used(used: Used) -> UsedView:
    return UsedView(jobs=used.jobs, megapixel_steps=used.megapixel_steps)
