"""`darkroom keys`: who may use the service, and how much."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from darkroom.commands.duration import seconds_of

if TYPE_CHECKING:
    from darkroom.job_store.access.stored_keys import StoredKey, StoredKeys
    from darkroom.job_store.redis_client import Client
    from darkroom.settings import Settings

app = typer.Typer(help="Make, list, rotate and revoke API keys. What is done holds at once for every API process.")

Name = Annotated[str, typer.Argument(help="The owner of the key's jobs: letters, digits and ._-")]


@app.callback(invoke_without_command=True)
def keys(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_keys()


@app.command("list")
def list_keys() -> None:
    """Every key by name, where it comes from, and when it was last used."""
    from darkroom.job_store.access.stored_keys import StoredKeys
    from darkroom.job_store.key_use import last_uses

    with _store() as (client, settings):
        stored = StoredKeys(client)
        known = {each.access.name: each for each in stored.all()}
        uses = last_uses(client, settings)
        for name in dict.fromkeys([*uses, *known]):
            used = uses.get(name)
            when = used.isoformat(timespec="seconds") if used else "never"
            print(f"{name:<24} {when:<25} {_state(known[name]) if name in known else 'environment'}")


@app.command()
def create(
    name: Name,
    role: Annotated[str, typer.Option(help="client, or admin: one that may use /ops and /admin.")] = "client",
    weight: Annotated[float, typer.Option(min=0.001, help="Of 2: twice the share of a key of weight 1.")] = 1.0,
    bulk_only: Annotated[bool, typer.Option("--bulk-only/--interactive", help="Bulk jobs alone.")] = False,
    models: Annotated[str, typer.Option(help="Those that it may use, comma-separated. Default: all.")] = "",
    per_minute: Annotated[int | None, typer.Option(min=1, help="Requests for images in any minute.")] = None,
    waiting: Annotated[int | None, typer.Option(min=1, help="Jobs in one model's line.")] = None,
    unfinished: Annotated[int | None, typer.Option(min=1, help="Jobs that wait or run.")] = None,
    daily_megapixel_steps: Annotated[float | None, typer.Option(min=0.001, help="Work a day of UTC.")] = None,
    expires: Annotated[str | None, typer.Option(help="Such as 90d, 12h, 30m. Default: never.")] = None,
) -> None:
    """Make a key, and print it: this once. What no option says, the settings do."""
    from darkroom.access.access import Access, Limits

    if role not in {"client", "admin"}:
        raise typer.BadParameter("the role is client or admin")
    limits = Limits(
        per_minute=per_minute, waiting=waiting, unfinished=unfinished, daily_megapixel_steps=daily_megapixel_steps
    )
    access = Access(
        name=name, is_admin=role == "admin", weight=weight, bulk_only=bulk_only, limits=limits,
        models=tuple(part.strip() for part in models.split(",") if part.strip()),
    )  # fmt: skip
    with _stored() as (stored, settings):
        _check(access.name, access.models, settings)
        print(stored.create(access, for_s=seconds_of(expires) if expires else None))
        _say_what_else_it_takes(settings)


@app.command()
def show(name: Name) -> None:
    """What a key may do, and until when."""
    with _stored() as (stored, _):
        found = stored.get(name)
        rows = {
            "name": found.access.name,
            "key": f"{found.shown}…",
            "state": _state(found),
            "role": "admin" if found.access.is_admin else "client",
            "classes": "bulk" if found.access.bulk_only else "interactive, bulk",
            "models": ", ".join(found.access.models) or "all",
            "weight": f"{found.access.weight:g}",
            **{limit: value for limit, value in found.access.limits.model_dump().items() if value is not None},
        }
        for title, value in rows.items():
            print(f"{title:<22} {value}")


@app.command()
def rotate(
    name: Name, grace: Annotated[str, typer.Option(help="How long the old one lives on: 0s, 12h, 7d.")] = "24h"
) -> None:
    """Print a new key of the same name and terms."""
    with _stored() as (stored, _):
        print(stored.rotate(name, grace_s=seconds_of(grace)))


@app.command()
def revoke(name: Name) -> None:
    """End a key, and those that it was rotated from. Its jobs go on, and stay until the retention takes them."""
    with _stored() as (stored, _):
        stored.revoke(name)


def _state(stored: "StoredKey") -> str:
    if stored.revoked_s:
        return f"revoked {_moment(stored.revoked_s)}"
    if stored.expires_s is None:
        return "stored"
    return f"stored, until {_moment(stored.expires_s)}"


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _check(name: str, models: tuple[str, ...], settings: "Settings") -> None:
    from darkroom.access.access import ANONYMOUS
    from darkroom.api_keys import NAME, named_keys
    from darkroom.catalogue import read_catalogue
    from darkroom.errors import KeyNameTaken

    if not NAME.fullmatch(name):
        raise typer.BadParameter("a name has 1 to 64 letters, digits and ._- and begins with none of these three")
    if name == ANONYMOUS or name in dict(named_keys(settings)):
        raise KeyNameTaken(f"{name} is taken: its jobs would be both keys'. Take another name.")
    if unknown := set(models) - set(read_catalogue(settings.catalogue)):
        raise typer.BadParameter(f"the catalogue has no {', '.join(sorted(unknown))}")


def _say_what_else_it_takes(settings: "Settings") -> None:
    if not settings.api_keys.get_secret_value() and not settings.require_keys:
        print(
            "The key works. Whoever reaches the API without one may use it all the same, until it is started with "
            "DARKROOM_REQUIRE_KEYS=true.",
            file=sys.stderr,
        )


@contextmanager
def _stored() -> "Iterator[tuple[StoredKeys, Settings]]":
    from darkroom.job_store.access.stored_keys import StoredKeys

    with _store() as (client, settings):
        yield StoredKeys(client), settings


@contextmanager
def _store() -> "Iterator[tuple[Client, Settings]]":
    from darkroom.job_store.redis_client import connect
    from darkroom.local.running import settings_here

    settings = settings_here()
    with connect(settings.redis_url) as client:
        yield client, settings
