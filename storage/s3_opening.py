"""The boto3 clients that the settings ask for: endpoints, keys, signatures, time limits and retries."""

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from darkroom.errors import Misconfigured
from darkroom.settings import Settings
from storage.s3 import S3Clients, S3Storage

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PATIENT = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4})
_QUICK = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 1})


def open_s3(settings: Settings) -> S3Storage:
    """Connects to nothing yet. Raises Misconfigured where half of a key is set or an endpoint is no URL."""
    if (settings.s3_access_key_id is None) != (settings.s3_secret_access_key is None):
        raise Misconfigured("Set both DARKROOM_S3_ACCESS_KEY_ID and DARKROOM_S3_SECRET_ACCESS_KEY, or neither.")
    inside = _endpoint("DARKROOM_S3_ENDPOINT_URL", settings.s3_endpoint_url)
    public = _endpoint("DARKROOM_S3_PUBLIC_ENDPOINT_URL", settings.s3_public_endpoint_url) or inside
    try:
        session = _session(settings)
        clients = S3Clients(
            inside=_client(session, settings, inside, _PATIENT),
            quick=_client(session, settings, inside, _QUICK),
            public=_client(session, settings, public, _QUICK),
        )
    except (BotoCoreError, ValueError) as error:
        raise Misconfigured(f"The S3 clients cannot be made. Check the DARKROOM_S3_ settings: {error}") from error
    return S3Storage(clients, settings.s3_bucket, default_ttl_s=settings.signed_url_ttl_s)


def _endpoint(name: str, url: str | None) -> str | None:
    """None for AWS. A user and password would end up in every signed URL, so they are refused, and not repeated."""
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or parts.query:
        raise Misconfigured(f"{name} is no endpoint; it looks like `https://s3.example.com`, without a user or query.")
    return url.rstrip("/")


def _session(settings: Settings) -> boto3.Session:
    secret = settings.s3_secret_access_key
    return boto3.Session(
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=None if secret is None else secret.get_secret_value(),
        region_name=settings.s3_region,
    )


def _client(session: boto3.Session, settings: Settings, endpoint_url: str | None, patience: Config) -> "S3Client":
    config = _config(settings, endpoint_url).merge(patience)
    client: S3Client = session.client("s3", endpoint_url=endpoint_url, config=config)
    client.meta.events.register("before-sign.s3.DeleteObjects", _add_content_md5)
    return client


def _config(settings: Settings, endpoint_url: str | None) -> Config:
    return Config(  # type: ignore[call-arg]  # the stubs lack ignore_configured_endpoint_urls
        signature_version="s3v4",
        s3={"addressing_style": _addressing_style(settings, endpoint_url)},
        # By default botocore sends a trailing checksum that some self-hosted stores do not understand.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # One place says where the store is: ours, not AWS_ENDPOINT_URL.
        ignore_configured_endpoint_urls=True,
        max_pool_connections=32,
    )


def _addressing_style(settings: Settings, endpoint_url: str | None) -> Literal["auto", "path", "virtual"]:
    """Of AWS's own hosts `auto` signs for the global one, which redirects to the bucket's region, where the
    signature is void; `virtual` signs for the region's. A dot in the name would not fit its certificate.
    """
    if settings.s3_addressing_style == "auto" and endpoint_url is None:
        return "path" if "." in settings.s3_bucket else "virtual"
    return settings.s3_addressing_style


def _add_content_md5(request: AWSRequest, **_: object) -> None:
    """Some stores want this header with DeleteObjects, and botocore has ceased to send it."""
    body = request.body.encode() if isinstance(request.body, str) else request.body
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    request.headers["Content-MD5"] = b64encode(digest).decode()
