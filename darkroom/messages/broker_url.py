"""Where the broker is, and what is asked of it with TLS, in the words that Celery uses; for ARQ, in redis-py's."""

import ssl
from urllib.parse import parse_qsl, urlencode, urlsplit

from darkroom.server_urls import TLS, tls_files


def default_broker_url(redis_url: str) -> str:
    """The job store's Redis in its next database, unless the settings name a broker.

    >>> default_broker_url("unix:///run/redis.sock?db=0")
    'redis+socket:///run/redis.sock?virtual_host=1'
    >>> default_broker_url("redis://:secret@host:6379/0")
    'redis://:secret@host:6379/1'
    >>> default_broker_url("rediss://host?db=3&ssl_ca_certs=ca.pem")
    'rediss://host/4?ssl_ca_certs=ca.pem'
    """
    parts = urlsplit(redis_url)
    options = dict(parse_qsl(parts.query))
    database = int(options.pop("db", "") or (parts.scheme != "unix" and parts.path.strip("/")) or 0) + 1
    if parts.scheme == "unix":
        return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={database}"
    return parts._replace(path=f"/{database}", query=urlencode(options, safe="/")).geturl()


def redis_py_url(broker_url: str) -> str:
    """A broker on Redis as redis-py wants it.

    >>> redis_py_url("redis+socket:///run/redis.sock?virtual_host=1")
    'unix:///run/redis.sock?db=1'
    >>> redis_py_url("redis://host?virtual_host=2")
    'redis://host?db=2'
    >>> redis_py_url("rediss://:secret@host/1?ssl_ca_certs=ca.pem")
    'rediss://:secret@host/1?ssl_ca_certs=ca.pem'
    """
    parts = urlsplit(broker_url)
    options = [("db" if name == "virtual_host" else name, value) for name, value in parse_qsl(parts.query)]
    query = urlencode(options, safe="/")
    if parts.scheme == "redis+socket":
        return f"unix://{parts.netloc}{parts.path}" + (f"?{query}" if query else "")
    return parts._replace(query=query).geturl()


def without_tls_options(broker_url: str) -> str:
    """As kombu shall see it: from options in a URL it would make up checks of its own."""
    parts = urlsplit(broker_url)
    if parts.scheme not in TLS:
        return broker_url
    kept = [(name, value) for name, value in parse_qsl(parts.query) if not name.startswith("ssl_")]
    return parts._replace(query=urlencode(kept)).geturl()


def tls_of(broker_url: str) -> dict[str, object] | None:
    """Celery's `broker_use_ssl`: the server's certificate is checked, and that it was made for this host.

    Left alone, kombu takes any certificate for `rediss://`, and for `amqps://` one of any host.
    """
    parts, files = urlsplit(broker_url), tls_files(broker_url)
    match parts.scheme:
        case "rediss":
            return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True, **files}
        case "amqps":
            without_prefix = {name.removeprefix("ssl_"): path for name, path in files.items()}
            return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": parts.hostname, **without_prefix}
    return None
