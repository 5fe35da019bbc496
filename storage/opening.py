"""Which storage the settings name. boto3 is imported only where it is S3."""

from darkroom.settings import Settings
from storage.contract import Storage
from storage.links import LinkSigner
from storage.local import LocalStorage
from storage.signing_key import signing_key


def open_storage(settings: Settings) -> Storage:
    """Touches no network. Raises Misconfigured when the settings do not go together."""
    if settings.storage == "local":
        return open_local(settings)
    from storage.s3_opening import open_s3

    return open_s3(settings)


def open_local(settings: Settings) -> LocalStorage:
    return LocalStorage(
        settings.images_dir,
        LinkSigner(signing_key(settings)),
        settings.public_base_url,
        default_ttl_s=settings.signed_url_ttl_s,
    )
