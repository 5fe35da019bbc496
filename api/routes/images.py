"""GET /images/{id}: a lasting address for an image, which leads to a fresh signed URL."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from starlette.responses import RedirectResponse

from api.keys import OwnerDep
from api.own_jobs import own_image
from api.problems import responses
from api.routes.jobs import ALWAYS
from api.services import ServicesDep
from api.views import image_view
from darkroom.errors import UnknownImage

router = APIRouter(tags=["images"])


@router.get(
    "/images/{image_id}",
    status_code=307,
    response_class=RedirectResponse,
    summary="Fetch an image",
    responses={
        307: {"description": "To a signed URL, which needs no key and expires."},
        **responses("unknown_image", "invalid_field", *ALWAYS),
    },
)
def fetch_image(
    image_id: str,
    owner: OwnerDep,
    services: ServicesDep,
    size: Annotated[Literal["full", "thumbnail"], Query(description="The image, or its small picture.")] = "full",
) -> Response:
    job, image = own_image(image_id, owner, services)
    view = image_view(job, image, services)
    if size == "full":
        url = view.url
    elif view.thumbnail:
        url = view.thumbnail.url
    else:
        raise UnknownImage(f"Image {image_id} has no thumbnail yet. Try again in a second, or take size=full.")
    # Kept by nobody: the next request gets a link of its own, with its full time to live.
    return RedirectResponse(url, 307, {"Cache-Control": "no-store"})
