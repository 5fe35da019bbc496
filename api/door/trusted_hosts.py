"""Keeps web pages of strangers out of a server that asks for no key, such as one on a laptop.

A page may send a browser's requests to any address that the browser reaches. It cannot choose two headers: `Origin`,
which names the page, and `Host`, which names what the browser takes the server for. Under a name of the page's own
that leads to 127.0.0.1 (DNS rebinding), the browser would even show it the answers.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem
from darkroom.settings import Settings

# They change nothing, and a page of another origin is not shown what they answer.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class TrustedHosts:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        public = urlsplit(settings.public_base_url)
        self._app = app
        self._names = {"localhost", settings.host.lower(), public.hostname, *map(str.lower, settings.trusted_hosts)}
        self._origins = {f"{public.scheme}://{public.netloc}".lower(), *map(str.lower, settings.cors_origins)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        hosts, origin = headers.getlist("host"), headers.get("origin")
        if not all(map(self._is_ours, hosts)):
            detail = (
                "This server is not known by the name in the Host header. Use its address, or let its operator name "
                "it in DARKROOM_TRUSTED_HOSTS."
            )
            await problem("untrusted_host", detail)(scope, receive, send)
        elif origin and scope["method"] not in SAFE_METHODS and not self._may_act(origin.lower(), hosts):
            detail = (
                "Web pages of that origin may not use this server. Its operator can name them in DARKROOM_CORS_ORIGINS."
            )
            await problem("untrusted_origin", detail)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_ours(self, authority: str) -> bool:
        try:
            name = (urlsplit(f"//{authority}").hostname or "").removesuffix(".")
        except ValueError:
            return False
        # Nobody can make an IP address lead elsewhere, so probes and load balancers may use one.
        return name in self._names or name.endswith(".localhost") or _is_ip_address(name)

    def _may_act(self, origin: str, hosts: list[str]) -> bool:
        is_own_page = origin.partition("://")[2] in map(str.lower, hosts)
        return is_own_page or origin in self._origins or "*" in self._origins


def _is_ip_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
