"""GET /files/{key}: local images, to whoever holds a signed link. With S3 the links lead there, and this is absent."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

from api.problems import problem, responses
from darkroom.errors import ObjectMissing
from storage.disposition import content_disposition
from storage.keys import content_type
from storage.local import LocalStorage

LINK_CODES = (
    "link_forged",
    "link_expired",
    "object_missing",
    "range_not_satisfiable",
    "malformed_range",
    "storage_unavailable",
)


class ImageFile(FileResponse):
    """Starlette's, ranges and all, but with errors of ours."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal: Response | None = None

        async def send_or_refuse(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start" and message["status"] in {400, 416}:
                refusal = _refusal(message["status"], dict(message["headers"]).get(b"content-range", b"").decode())
            if refusal is None:
                await send(message)

        await super().__call__(scope, receive, send_or_refuse)
        if refusal is not None:
            await refusal(scope, receive, send)


def _refusal(status: int, content_range: str) -> Response:
    if status == 416:
        size = content_range.rpartition("/")[2]
        detail = f"The range lies outside the file, which has {size} bytes. Leave out Range to get all of it."
        return problem("range_not_satisfiable", detail, headers={"Content-Range": content_range})
    return problem("malformed_range", "The Range header is malformed. A right one: `Range: bytes=0-1023`.")


def files_router(storage: LocalStorage) -> APIRouter:
    router = APIRouter(tags=["images"])

    @router.head("/files/{key:path}", include_in_schema=False)
    @router.get(
        "/files/{key:path}",
        response_class=FileResponse,
        summary="Follow a signed link",
        responses={
            200: {"description": "The file.", "content": {"image/*": {}}},
            206: {
                "description": "The ranges asked for.",
                "content": {"image/*": {}, "multipart/byteranges": {}},
            },
            304: {"description": "The client has it already: `If-None-Match` names its `ETag`."},
            **responses(*LINK_CODES),
        },
    )
    def fetch_file(
        request: Request,
        key: str,
        expires: Annotated[str, Query(description="As in the link.")] = "",
        signature: Annotated[str, Query(description="As in the link.")] = "",
        filename: Annotated[str | None, Query(description="As in the link.")] = None,
    ) -> Response:
        path = storage.linked_path(key, expires=expires, signature=signature, filename=filename)
        try:
            found = path.stat()
        except FileNotFoundError as error:  # deleted just now
            raise ObjectMissing(f"Storage has no object {key!r}; it may have been deleted.") from error
        left_s = max(0, int(expires) - int(datetime.now(UTC).timestamp()))
        headers = {
            # The bytes behind a link never change; whoever keeps them may do so as long as the link lives.
            "Cache-Control": f"private, max-age={left_s}, immutable",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Referrer-Policy": "no-referrer",
        }
        if filename is not None:
            headers["Content-Disposition"] = content_disposition(filename)
        file = ImageFile(path, headers=headers, media_type=content_type(key), stat_result=found)
        if _is_kept(file.headers["etag"], request.headers.getlist("if-none-match")):
            return Response(status_code=304, headers={**headers, "ETag": file.headers["etag"]})
        return file

    return router


def _is_kept(etag: str, if_none_match: list[str]) -> bool:
    """Compared weakly (RFC 9110, section 13.1.2). Tags of ours hold no comma."""
    tags = {tag.strip().removeprefix("W/") for header in if_none_match for tag in header.split(",")}
    return etag in tags or "*" in tags
