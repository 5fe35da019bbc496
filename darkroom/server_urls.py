"""URLs of Redis and of the broker as an operator writes them: what is wrong with one, in words that say what to do.

Looked at before any library sees them. What a library would ignore, or notice at the first connection, stops a
process as it starts.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import ValidationInfo

REDIS_OPTIONS = {"redis": {"db"}, "rediss": {"db"}, "unix": {"db"}}
BROKER_OPTIONS = {
    "redis": {"virtual_host"},
    "rediss": {"virtual_host"},
    "redis+socket": {"virtual_host"},
    "amqp": {"heartbeat"},
    "pyamqp": {"heartbeat"},
    "amqps": {"heartbeat"},
}
TLS = frozenset({"rediss", "amqps"})
TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
# What may be said, though it is so anyway. Nothing else may: it would trust whoever stands between.
TLS_CHECKS = {"ssl_cert_reqs": "required", "ssl_check_hostname": "true"}
NUMBERS = frozenset({"db", "heartbeat", "virtual_host"})


def redis_fault(url: str) -> str | None:
    """None where nothing is wrong. Never repeats the URL, which may hold a password."""
    return next(_faults(url, REDIS_OPTIONS), None)


def broker_fault(url: str) -> str | None:
    """Of each address, where several are named for one to take another's place."""
    addresses = url.split(";")
    faults = [fault for address in addresses for fault in _faults(address, BROKER_OPTIONS)]
    if not faults and len(addresses) > 1 and any(urlsplit(address).scheme in TLS for address in addresses):
        faults = ["with TLS, name one server: a certificate is checked against one name"]
    return next(iter(faults), None)


def sound_redis(url: str) -> str:
    """For pydantic: raises ValueError, as the next two do."""
    return _without(redis_fault(url), url)


def sound_broker(url: str | None) -> str | None:
    return url and _without(broker_fault(url), url)


def fit_for_broker(queue: str, info: ValidationInfo) -> str:
    broker = info.data.get("broker_url") or ""
    return _without(arq_broker_fault(broker) if queue == "arq" else None, queue)


def arq_broker_fault(url: str) -> str | None:
    """What ARQ cannot do with a broker that Celery can use."""
    if urlsplit(url).scheme in {"amqp", "amqps", "pyamqp"}:
        return (
            "ARQ runs on Redis alone, and DARKROOM_BROKER_URL names RabbitMQ; unset that, or set DARKROOM_QUEUE=celery"
        )
    if ";" in url:
        return "ARQ knows one broker, and DARKROOM_BROKER_URL names several; name one, or set DARKROOM_QUEUE=celery"
    return None


def tls_files(url: str) -> dict[str, str]:
    """Those that the URL names, under redis-py's words for them."""
    return {name: value for name, value in parse_qsl(urlsplit(url).query) if name in TLS_FILES}


def tls_checks(url: str) -> dict[str, bool]:
    """For redis-py, whose versions before 6 do not look for which host a certificate was made."""
    return {"ssl_check_hostname": True} if urlsplit(url).scheme == "rediss" else {}


def _without(fault: str | None, value: str) -> str:
    if fault:
        raise ValueError(fault)
    return value


def _faults(url: str, known: dict[str, set[str]]) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        yield "its host or port cannot be read; write : / ? # @ of a password as %3A %2F %3F %23 %40"
        return
    if parts.scheme not in known:
        yield f"it has to begin with one of {', '.join(f'{scheme}://' for scheme in known)}"
        return
    if parts.fragment or "#" in url:
        yield "there is a # in it; write that of a password as %23"
    if not url.startswith(f"{parts.scheme}://"):
        yield f"there have to be two slashes behind {parts.scheme}:"
    yield from _place_faults(parts)
    yield from _option_faults(parts, known[parts.scheme])


def _place_faults(parts: SplitResult) -> Iterator[str]:
    is_socket = parts.scheme in {"unix", "redis+socket"}
    if is_socket and not parts.path.strip("/"):
        yield f"it names no socket; write {parts.scheme}:///path/to.sock"
    if not is_socket and not parts.hostname:
        yield "it names no host"
    if parts.scheme in {"redis", "rediss"} and parts.path.strip("/") and not parts.path.strip("/").isdecimal():
        yield "what follows the host has to be a database's number, such as /0"


def _option_faults(parts: SplitResult, known: set[str]) -> Iterator[str]:
    allowed = [*sorted(known), *((*TLS_FILES, *TLS_CHECKS) if parts.scheme in TLS else ())]
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in allowed:
            tls = f"; TLS is {parts.scheme}s://" if name.startswith("ssl_") else ""
            yield f"it has an option that is unknown here. Known are: {', '.join(allowed)}{tls}"
        elif name in TLS_CHECKS and value.lower() != TLS_CHECKS[name]:
            yield (
                f"{name} would leave the server's certificate unchecked, and whoever stands between could read every "
                "job. Leave it out; name an authority of your own with ssl_ca_certs=/path/to/ca.pem"
            )
        elif name in TLS_FILES and not Path(value).is_file():
            yield f"{name} names no file that is there"
        elif name in NUMBERS and not value.isdecimal():
            yield f"{name} has to be a number"
