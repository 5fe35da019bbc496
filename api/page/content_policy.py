"""What the pages of this server may load and do: themselves, this server, and pictures from where signed links lead."""

from collections.abc import Iterable

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def page_policy(script_hash: str, picture_origins: Iterable[str]) -> str:
    return _policy(
        script=f"'self' 'sha256-{script_hash}'", style="'self'", img=" ".join(["'self' data: blob:", *picture_origins])
    )


def documentation_policy(script_hash: str, api_origin: str) -> str:
    """Swagger UI writes style attributes, and posts to the address that the page was opened by, or the public one."""
    return _policy(
        script=f"'self' 'sha256-{script_hash}'",
        style="'self' 'unsafe-inline'",
        img=f"'self' data: {api_origin}",
        connect=f"'self' {api_origin}",
    )


def _policy(*, script: str, style: str, img: str, connect: str = "'self'") -> str:
    return (
        f"default-src 'none'; script-src {script}; style-src {style}; img-src {img}; connect-src {connect}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
