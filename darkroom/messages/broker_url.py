"""Where the broker is, unless the settings say: in the job store's Redis."""

from urllib.parse import urlsplit


def default_broker_url(redis_url: str) -> str:
    """The same Redis in its next database, in the words that Celery uses.

    >>> default_broker_url("unix:///run/redis.sock?db=0")
    'redis+socket:///run/redis.sock?virtual_host=1'
    >>> default_broker_url("redis://:secret@host:6379/0")
    'redis://:secret@host:6379/1'
    """
    parts = urlsplit(redis_url)
    if parts.scheme == "unix":
        options = dict(option.partition("=")[::2] for option in parts.query.split("&"))
        return f"redis+socket://{parts.path}?virtual_host={int(options.get('db') or 0) + 1}"
    database = int(parts.path.strip("/") or 0)
    return parts._replace(path=f"/{database + 1}").geturl()
