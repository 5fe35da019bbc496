"""Entry point for Celery's own commands that run no tasks: `celery -A darkroom.app flower`, `… inspect ping`."""

from darkroom.celery_app import make_app
from darkroom.settings import Settings

app = make_app(Settings())
