from datetime import UTC, datetime

from pydantic import SecretStr

from darkroom.job_store.key_use import last_uses, note_use
from darkroom.job_store.redis_client import Client
from darkroom.settings import Settings


def test_keys_are_listed_with_their_last_use_and_without_the_keys(client: Client, settings: Settings) -> None:
    configured = settings.model_copy(update={"api_keys": SecretStr("web:0123456789abcdef,batch:fedcba9876543210")})
    note_use(client, "web")
    note_use(client, "gone")

    uses = last_uses(client, configured)

    assert list(uses) == ["web", "batch", "gone"]
    assert uses["batch"] is None
    assert uses["web"]
    assert abs((datetime.now(UTC) - uses["web"]).total_seconds()) < 60
