"""The page at /docs: Swagger UI from this server, under a content policy of its own."""

import hashlib
import re
from base64 import b64encode
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse

from api.page.content_policy import HEADERS, documentation_policy
from darkroom.settings import Settings

# Where FastAPIOffline serves Swagger UI's files: the page works where the network ends.
FILES = "static-offline-docs"
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def install_documentation_page(app: FastAPI, settings: Settings) -> None:
    api_origin = "{0.scheme}://{0.netloc}".format(urlsplit(settings.public_base_url))

    @app.get("/docs", include_in_schema=False)
    def documentation(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        page = get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=f"{app.title}: the API",
            swagger_js_url=f"{root}/{FILES}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}/{FILES}/swagger-ui.css",
            swagger_favicon_url=f"{root}/{FILES}/favicon.png",
        )
        [script] = INLINE_SCRIPT.findall(bytes(page.body).decode())
        script_hash = b64encode(hashlib.sha256(script.encode()).digest()).decode()
        page.headers.update(HEADERS | {"Content-Security-Policy": documentation_policy(script_hash, api_origin)})
        return page
