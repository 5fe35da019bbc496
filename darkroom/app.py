"""Entry point for Celery's own commands that run no tasks: `celery -A darkroom.app flower`, `… inspect ping`."""

from darkroom.messages.celery_app import make_app
from darkroom.messages.entry_point import plain_refusal, settings_for

with plain_refusal():
    app = make_app(settings_for("celery"))
