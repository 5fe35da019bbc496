"""The web page: the studio at `/`, operations at `/ops`, and what they are made of below `/page`."""

from functools import cache
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Header, Response
from starlette.exceptions import HTTPException

from api.page.content_policy import HEADERS, page_policy
from api.page.files import Document, PageFile, PageFiles
from api.services import Services
from darkroom.errors import DarkroomError
from storage.keys import image_key

AcceptEncoding = Annotated[str, Header()]
IfNoneMatch = Annotated[str, Header()]
# A file's address changes with any of them.
FOR_GOOD = "public, max-age=31536000, immutable"


def page_router(services: Services) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    page = PageFiles()

    @cache
    def picture_origins() -> frozenset[str]:
        """Where signed links lead: this server as clients see it, or an S3 endpoint."""
        try:
            urls = [services.settings.public_base_url, services.storage.signed_url(image_key("0" * 28, 0, "png")).url]
        except DarkroomError:
            urls = [services.settings.public_base_url]
        return frozenset("{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in urls)

    def document(page: Document, accept_encoding: str, if_none_match: str) -> Response:
        policy = page_policy(page.script_hash, sorted(picture_origins()))
        headers = {**HEADERS, "Content-Security-Policy": policy, "Cache-Control": "no-cache", "ETag": f'"{page.etag}"'}
        if page.etag in if_none_match:
            return Response(status_code=304, headers=headers)
        return _file(page.file, accept_encoding, headers)

    @router.get("/")
    def studio(accept_encoding: AcceptEncoding = "", if_none_match: IfNoneMatch = "") -> Response:
        return document(page.studio, accept_encoding, if_none_match)

    @router.get("/ops")
    def operations(accept_encoding: AcceptEncoding = "", if_none_match: IfNoneMatch = "") -> Response:
        return document(page.operations, accept_encoding, if_none_match)

    @router.get("/page/{version}/{name:path}")
    def part(version: str, name: str, accept_encoding: AcceptEncoding = "") -> Response:
        file = page.files.get(name)
        if file is None or version != page.version:
            raise HTTPException(404)
        return _file(file, accept_encoding, {**HEADERS, "Cache-Control": FOR_GOOD})

    return router


def _file(file: PageFile, accept_encoding: str, headers: dict[str, str]) -> Response:
    if "gzip" in accept_encoding:
        zipped = {**headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return Response(file.compressed, headers=zipped, media_type=file.media_type)
    return Response(file.content, headers={**headers, "Vary": "Accept-Encoding"}, media_type=file.media_type)
