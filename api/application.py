"""Puts the HTTP application together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from api import problems
from api.admission.rate_limits import RateLimitHeaders
from api.door.body_limit import BodyLimit
from api.door.keys_first import KeysFirst
from api.door.trusted_hosts import TrustedHosts
from api.keys import Callers, read_keys, require_public_url
from api.openai import images as openai_images
from api.openai import models as openai_models
from api.openai.errors import OpenAIError, OpenAIErrors
from api.openapi import documentation
from api.page.documentation import install_documentation_page
from api.request_ids import RequestIds
from api.routes import (
    admin,
    events,
    generate,
    health,
    images,
    jobs,
    models,
    uploads,
    upscale,
    usage,
    variations,
    webhooks,
)
from api.routes.files import files_router
from api.routes.page import page_router
from api.services import make_services
from darkroom.settings import Settings
from storage.local import LocalStorage

DESCRIPTION = """
Post a prompt and get a job at once; follow it; fetch its images by signed URL.

```
curl -s URL/generate -H 'Content-Type: application/json' -d '{"prompt": "a red circle on a white background"}'
```

Every error is a problem document (RFC 9457) with a stable `code` and a `detail` that says what to do.
Answers 429 and 503 carry `Retry-After`.
"""


def create_app(settings: Settings) -> FastAPI:
    """Touches no network. Raises Misconfigured."""
    services = make_services(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await services.close()

    # Serves what the documentation page is made of, which others load from a CDN.
    app = FastAPIOffline(
        title="Darkroom",
        version=version("darkroom"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    app.state.keys = read_keys(settings)
    app.state.callers = Callers(app.state.keys, services.stored_keys, settings)
    require_public_url(settings)
    _guard(app, settings)
    _surround(app)
    problems.install(app)
    documentation.install(app, [problems.Problem, OpenAIError])
    install_documentation_page(app, settings)
    native = (generate, jobs, events, images, variations, upscale, uploads, models, usage, webhooks, admin, health)
    for routes in (*native, openai_images, openai_models):
        app.include_router(routes.router)
    if isinstance(services.storage, LocalStorage):
        app.include_router(files_router(services.storage))
    app.include_router(page_router(services))
    return app


def _guard(app: FastAPI, settings: Settings) -> None:
    """What stands before the routes. What is added last hears of a request first."""
    if app.state.keys:
        app.add_middleware(KeysFirst, callers=app.state.callers)
    app.add_middleware(
        BodyLimit, max_bytes=settings.max_body_bytes, larger=_larger_bodies(settings), max_s=settings.body_timeout_s
    )
    if not app.state.keys or settings.trusted_hosts:
        app.add_middleware(TrustedHosts, settings=settings)
    if settings.cors_origins:
        _allow_origins(app, settings)


def _larger_bodies(settings: Settings) -> dict[str, int]:
    form = 65_536  # of a form: what stands around the file
    return {
        "/generate": settings.max_inline_bytes,
        "/uploads": settings.max_upload_bytes + form,
        # An image and its mask, or several images that are smaller.
        "/v1/images/edits": 2 * settings.max_upload_bytes + form,
    }


def _surround(app: FastAPI) -> None:
    """Round Starlette's outermost layer, which answers what nobody foresaw: middleware is inside it."""
    inner = app.build_middleware_stack

    def build() -> ASGIApp:
        return RequestIds(RateLimitHeaders(OpenAIErrors(inner())))

    app.build_middleware_stack = build  # type: ignore[method-assign]


def _allow_origins(app: FastAPI, settings: Settings) -> None:
    """Web pages of these origins may call; with an API key, never with cookies, for there are none."""
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=[
            "Authorization",
            "Cancel-After",
            "Content-Type",
            "Idempotency-Key",
            "Last-Event-ID",
            "Prefer",
            "X-Request-ID",
        ],
        expose_headers=[
            "Location",
            "Preference-Applied",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "X-Request-ID",
        ],
    )
