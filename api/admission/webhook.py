"""The webhook of a request, looked at before anything is made."""

import httpx

from darkroom.errors import Fault, InvalidRequest, UrlForbidden
from darkroom.fetching.guarded_fetch import checked_url, origin
from darkroom.request import GenerateBody
from darkroom.webhooks.delivery import Webhook

REFUSED = "webhook_url_refused"


def webhook_of(body: GenerateBody, origins_inside: tuple[str, ...]) -> Webhook | None:
    """Raises InvalidRequest. Where its name leads is looked at when it is sent."""
    if body.webhook is None:
        if body.webhook_events is None:
            return None
        message = "webhook_events goes with `webhook`, the URL that they are sent to. Add it, or leave them out."
        raise InvalidRequest([Fault("webhook", "missing_field", message)])
    try:
        checked_url(body.webhook, frozenset(origin(httpx.URL(url)) for url in origins_inside))
    except UrlForbidden as error:
        raise InvalidRequest([Fault("webhook", REFUSED, error.message)]) from error
    return Webhook(body.webhook, tuple(body.webhook_events)) if body.webhook_events else Webhook(body.webhook)
