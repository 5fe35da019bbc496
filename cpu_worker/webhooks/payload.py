"""What a webhook says of a job: how it stands, and links to its images; never its prompt, and no picture."""

import json
from typing import Any

from darkroom.jobs import Job, StoredImage, moment
from darkroom.settings import Settings
from darkroom.webhooks.delivery import Delivery
from storage.contract import Storage

MOST_BYTES = 20_000


def payload(delivery: Delivery, job: Job, storage: Storage, settings: Settings) -> str:
    """JSON, the same at every try but for the links, which are fresh. Raises StorageUnavailable."""
    said = _document(delivery, job, [_image(job, image, storage) for image in job.images], settings)
    if len(said.encode()) > MOST_BYTES:
        # So many images are read from the job.
        said = _document(delivery, job, None, settings)
    return said


def _document(delivery: Delivery, job: Job, images: list[dict[str, Any]] | None, settings: Settings) -> str:
    data = {
        "id": job.id,
        "status": "running" if delivery.event == "started" else delivery.event,
        "model": job.request.model,
        "created_at": moment(job.created_ms).isoformat(),
        "seed": job.request.seed,
        "images": images,
        "error": job.failure.model_dump() if job.failure else None,
        "links": {"self": f"{settings.public_base_url}/jobs/{job.id}"},
    }
    at = moment(delivery.at_ms).isoformat()
    return json.dumps({"type": f"job.{delivery.event}", "timestamp": at, "data": data})


def _image(job: Job, image: StoredImage, storage: Storage) -> dict[str, Any]:
    name = f"darkroom-{job.id}-{image.index}"
    link = storage.signed_url(image.key, filename=f"{name}.{image.key.rpartition('.')[2]}")
    return {
        "id": f"{job.id}-{image.index}",
        "url": link.url,
        "expires_at": link.expires_at.isoformat(),
        **image.model_dump(include={"width", "height", "bytes", "content_type", "seed", "sha256"}),
    }
