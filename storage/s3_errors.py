"""What an S3 store's refusals and silences mean to an operator. Never repeats the store's own words, which
may hold a secret or a signed URL.
"""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSLError,
)

from darkroom.errors import StorageUnavailable

_KEYS = "Check DARKROOM_S3_ACCESS_KEY_ID and DARKROOM_S3_SECRET_ACCESS_KEY."
_REFUSALS = {
    "NoSuchBucket": ("has no bucket {bucket!r}", "Create it, or set DARKROOM_S3_BUCKET."),
    "AccessDenied": (
        "denies access to bucket {bucket!r}",
        "Grant these keys s3:PutObject, s3:GetObject, s3:DeleteObject and s3:ListBucket on it.",
    ),
    "InvalidAccessKeyId": ("does not know the access key", _KEYS),
    "SignatureDoesNotMatch": ("refuses the signature", _KEYS),
    "ExpiredToken": ("says that the credentials expired", "Renew them."),
    "RequestTimeTooSkewed": ("finds this machine's clock too far off", "Set the clock."),
    "AuthorizationHeaderMalformed": ("expects another region in signatures", "Set DARKROOM_S3_REGION."),
    "PermanentRedirect": ("keeps bucket {bucket!r} in another region", "Set DARKROOM_S3_REGION."),
    "QuotaExceeded": ("is full", "Free some space there, or raise the quota."),
    "SlowDown": ("asks to slow down", "Try again; add stores or raise its limits if this lasts."),
}
_SILENCES: tuple[tuple[type[BotoCoreError], str, str], ...] = (
    (NoCredentialsError, "cannot be asked without credentials", _KEYS),
    (PartialCredentialsError, "cannot be asked with half of the credentials", _KEYS),
    (SSLError, "has a certificate that does not verify", "Check its certificate, or whether it speaks https at all."),
    (ConnectTimeoutError, "cannot be connected to in time", "Check DARKROOM_S3_ENDPOINT_URL and the network."),
    (EndpointConnectionError, "cannot be connected to", "Check DARKROOM_S3_ENDPOINT_URL, and that it runs."),
    (ReadTimeoutError, "does not answer in time", "Check that it is well."),
)
_OTHERWISE = "Look at its log."


def unavailable(error: BotoCoreError | ClientError, endpoint_url: str, bucket: str) -> StorageUnavailable:
    """One sentence on what happened and where, and one on what to do."""
    happened, advice = _refusal(error) if isinstance(error, ClientError) else _silence(error)
    return StorageUnavailable(f"S3 at {endpoint_url} {happened.format(bucket=bucket)}. {advice}")


def code(error: ClientError) -> str:
    """The store's own word for it, or the HTTP status where it gave none."""
    return str(error.response.get("Error", {}).get("Code", "nothing"))


def _refusal(error: ClientError) -> tuple[str, str]:
    name = "".join(character for character in code(error) if character.isalnum())[:60]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "no")
    return _REFUSALS.get(name, (f"answers {name} (HTTP status {status})", _OTHERWISE))


def _silence(error: BotoCoreError) -> tuple[str, str]:
    for kind, happened, advice in _SILENCES:
        if isinstance(error, kind):
            return happened, advice
    return f"fails with {type(error).__name__}", _OTHERWISE
