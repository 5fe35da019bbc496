"""What an operator can set. Read from the environment once, at each process's start, and passed down."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveFloat, SecretStr, ValidationError, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from darkroom.access.access_settings import AccessSettings
from darkroom.errors import Misconfigured
from darkroom.server_urls import fit_for_broker, sound_broker, sound_redis

BUNDLED_CATALOGUE = Path(__file__).resolve().parent.parent / "models" / "catalogue.toml"


class Settings(AccessSettings):
    """Every field is the environment variable `DARKROOM_` + its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="DARKROOM_", frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    # Passwords stand in both URLs, so neither shows in a log or a traceback.
    redis_url: Annotated[str, AfterValidator(sound_redis)] = Field(
        default="redis://127.0.0.1:6379/0",
        repr=False,
        description="Job store: `redis://`, `unix:///path/to.sock?db=0`, or `rediss://` for TLS, where "
        "`?ssl_ca_certs=/path/to/ca.pem` names an authority of your own.",
    )
    redis_max_bytes: int = Field(
        default=2**30,
        ge=16 * 2**20,
        description="Memory that the Redis of `darkroom up` and `darkroom demo` may take, bytes. Nearly full, it takes "
        "no more jobs (503, `job_store_full`), and those that it has are done.",
    )
    broker_url: Annotated[str | None, AfterValidator(sound_broker)] = Field(
        default=None,
        repr=False,
        description="Broker of messages: `amqp://…` or `amqps://…` for RabbitMQ, or a Redis URL in Celery's form. "
        "Unset: the Redis of `DARKROOM_REDIS_URL`, in its next database.",
    )
    queue: Annotated[Literal["celery", "arq"], AfterValidator(fit_for_broker)] = Field(
        default="celery",
        description="What brings messages to workers, the same for all processes. `arq` needs Redis, and an "
        "environment of its own: see [queues](queues.md).",
    )
    worker_name: str | None = Field(
        default=None,
        pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$",
        description="Name of a worker on ARQ, such as `gpu1@node-3`: one of its own for each. Unset: `gpu@HOST` or "
        "`cpu@HOST`. Celery's workers are told theirs by `-n`.",
    )
    data_dir: Path = Field(
        default=Path("data"),
        description="Folder for what is kept locally: images, signing key.",
    )

    storage: Literal["local", "s3"] = Field(default="local", description="Where finished images go.")
    s3_bucket: str = Field(default="darkroom", min_length=3, max_length=63, description="Bucket; must exist.")
    s3_endpoint_url: str | None = Field(
        default=None, description="S3 endpoint that workers write to. Unset: AWS's own for the region."
    )
    s3_public_endpoint_url: str | None = Field(
        default=None,
        description="S3 endpoint that signed URLs name, where clients see another one than workers do. "
        "Unset: the same.",
    )
    s3_region: str = Field(default="us-east-1", min_length=1, description="Region used in signatures.")
    s3_access_key_id: str | None = Field(
        default=None, description="Unset: boto3's own chain (environment, profile, instance role)."
    )
    s3_secret_access_key: SecretStr | None = Field(default=None, description="Goes with the access key.")
    s3_addressing_style: Literal["auto", "path", "virtual"] = Field(
        default="auto", description="`path` for most self-hosted stores (MinIO, Ceph)."
    )
    signing_key: SecretStr | None = Field(
        default=None,
        description="Secret that signs links to local images, 32 characters at least. "
        "Unset: one is made and kept in the data folder.",
    )
    signed_url_ttl_s: int = Field(
        default=3600, ge=10, le=604_800, description="Lifetime of signed URLs, seconds (S3 allows a week)."
    )

    host: str = Field(default="127.0.0.1", description="Address the API binds.")
    port: int = Field(default=8000, ge=1, le=65_535, description="Port the API binds.")
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$",
        description="The API's address as clients see it, used in links. Unset: `http://HOST:PORT`.",
    )
    api_keys: SecretStr = Field(
        default=SecretStr(""),
        description="`name:key` pairs, comma-separated; keys of 16 characters at least. "
        "Empty: no key is asked for, and the API binds loopback only.",
    )
    admin_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Names of the API keys, comma-separated, that may see and use operations (`/ops`, `/admin`). "
        "Where no keys are configured, everyone may.",
    )
    flower_url: str | None = Field(
        default=None, pattern=r"^https?://\S+$", description="Where operators reach Flower: linked on `/ops`."
    )
    trusted_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Names under which the API may be reached, comma-separated, besides `localhost`, IP addresses and "
        "the name in `DARKROOM_PUBLIC_URL`. Looked at while no keys are configured, and always once this is set.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Origins whose web pages may call the API from a browser, comma-separated, such as "
        "`https://app.example.com`; `*` for any.",
    )
    fetch_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Origins inside your network that images may be fetched from by URL, comma-separated, such as "
        "`http://minio:9000`. All others must be `https` and at public addresses.",
    )
    key_weights: Annotated[dict[str, PositiveFloat], NoDecode] = Field(
        default={},
        description="`name=weight` pairs, comma-separated: a key of weight 2 gets twice the share of one of weight 1, "
        "which is what keys have that are not named.",
    )
    max_body_bytes: int = Field(
        default=65_536,
        ge=1024,
        le=104_857_600,
        description="Largest request body taken where none of the next two holds, bytes.",
    )
    max_inline_bytes: int = Field(
        default=4 * 2**20,
        ge=1024,
        le=104_857_600,
        description="Largest body of `POST /generate`, whose inputs may be `data:` URLs, bytes.",
    )
    max_upload_bytes: int = Field(
        default=20 * 2**20, ge=1024, le=1_073_741_824, description="Largest file that an input may be, bytes."
    )
    max_input_pixels: int = Field(
        default=33_554_432,
        ge=4096,
        le=268_435_456,
        description="Most pixels of a picture that is read as an input; each takes up to 8 bytes of the API's memory.",
    )
    upload_ttl_s: int = Field(
        default=86_400, ge=60, le=30 * 86_400, description="Uploads that no job needs are removed after this, seconds."
    )
    body_timeout_s: float = Field(
        default=30.0, ge=1, le=3600, description="A request body that has not arrived by then gets 408, seconds."
    )
    max_prompt_chars: int = Field(default=4000, ge=1, le=100_000, description="Longest prompt taken, characters.")
    max_images_per_job: int = Field(default=8, ge=1, le=64, description="Largest `n` of a request.")
    max_waiting_per_model: int = Field(
        default=100_000, ge=1, description="Jobs that may wait for one model; more get 429."
    )
    max_waiting_per_key: int = Field(
        default=10_000,
        ge=1,
        description="Jobs that one API key may have waiting for one model; more get 429.",
    )

    catalogue: Path = Field(default=BUNDLED_CATALOGUE, description="The catalogue of models, a TOML file.")
    default_model: str = Field(default="minilab", description="Model of a request that names none.")
    gpu_models: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("minilab",),
        min_length=1,
        description="Models a GPU worker holds, comma-separated, when it is started without `-Q`.",
    )
    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
        description="`auto` takes CUDA, else Apple's MPS, else the CPU.",
    )
    lanes: int = Field(
        default=32,
        ge=1,
        le=256,
        description="Jobs of a model that a GPU worker has under way at the same time. Twice as many as its largest "
        "batch holds keep it full.",
    )
    interactive_lanes: int = Field(
        default=1, ge=0, le=255, description="Lanes of a model kept for interactive jobs; at least one takes bulk ones."
    )
    weights_dir: Path | None = Field(
        default=None, description="Folder looked into for weights (`WEIGHTS_DIR/MODEL`) before the hub cache."
    )

    lease_s: float = Field(
        default=15.0,
        ge=1,
        le=600,
        description="A job whose worker is silent this long goes back in line, seconds.",
    )
    job_deadline_s: float = Field(
        default=1800.0, gt=0, le=86_400, description="A job that runs longer than this fails, seconds."
    )
    delivery_patience_s: float = Field(
        default=600.0,
        ge=0,
        le=86_400,
        description="How long a worker keeps trying to write a finished image while storage is down, seconds.",
    )
    outbox_max_bytes: int = Field(
        default=512 * 2**20,
        ge=2**20,
        description="Finished images that may wait for storage in one GPU worker's memory, bytes. At this it takes no "
        "more jobs; those under way may exceed it by their images.",
    )
    max_attempts: int = Field(
        default=3,
        ge=1,
        le=100,
        description="A job that lost a worker, or met an error that nothing explains, is tried so often in all. "
        "Then it fails, and `darkroom dead` lists it.",
    )
    grace_s: float = Field(
        default=60.0, ge=0, le=86_400, description="How long a stopping worker may finish its jobs, seconds."
    )
    watchdog_s: float = Field(
        default=300.0,
        ge=1,
        le=86_400,
        description="A worker whose networks have been busy with one forward this long counts as hung: it gives its "
        "jobs back and ends, for its supervisor to start another, seconds.",
    )
    retention_s: int = Field(
        default=7 * 86_400,
        ge=1,
        description="Finished jobs and their images are removed after this, seconds.",
    )
    flower: bool = Field(
        default=False,
        description="Tell Celery's monitors, such as Flower, of each message sent. Costs a message more at each job.",
    )
    housekeeping_period_s: float = Field(
        default=5.0,
        ge=0.1,
        le=60,
        description="How often leases, wake-ups and retention are looked after, seconds.",
    )

    log_format: Literal["console", "json"] = Field(default="console", description="Form of log lines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")

    @field_validator("admin_keys", "cors_origins", "fetch_origins", "gpu_models", "trusted_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("key_weights", mode="before")
    @classmethod
    def _pair(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = (part.partition("=") for part in value.split(",") if part.strip())
        return {name.strip(): weight.strip() for name, _, weight in pairs}

    @field_validator("fetch_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            if not re.fullmatch(r"https?://[^/@?#\s]+", url):
                raise ValueError("each is a scheme, a host and, where it is another, a port: `http://minio:9000`")
        return value

    @field_validator("signing_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 32:
            raise ValueError("needs 32 characters at least; `openssl rand -hex 32` makes one")
        return value

    @property
    def images_dir(self) -> Path:
        return self.data_dir / "images"

    @property
    def public_base_url(self) -> str:
        """Without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")


def read_settings() -> Settings:
    """From the environment. Raises Misconfigured, which names each variable at fault and repeats no value."""
    try:
        return Settings()
    except ValidationError as error:
        faults = (
            f"DARKROOM_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()
        )
        raise Misconfigured("; ".join(faults)) from None
