"""A client for Darkroom's HTTP API: `Client`, and `AsyncClient` for asyncio. Knows HTTP alone, no Redis and no torch.

>>> with Client("http://127.0.0.1:8000") as client:  # doctest: +SKIP
...     job = client.generate("a red circle on a white background")
...     picture = client.download(job.images[0])
"""

from darkroom.client.answers import Event, Image, Job, Upload
from darkroom.client.async_client import AsyncClient
from darkroom.client.client import Client
from darkroom.client.errors import ClientError, JobEnded, Refused, Unreachable
from darkroom.client.webhooks import WebhookForged, verify_webhook

__all__ = [
    "AsyncClient",
    "Client",
    "ClientError",
    "Event",
    "Image",
    "Job",
    "JobEnded",
    "Refused",
    "Unreachable",
    "Upload",
    "WebhookForged",
    "verify_webhook",
]
