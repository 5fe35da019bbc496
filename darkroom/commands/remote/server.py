"""Which server a command speaks to, and with which key: by flags, the environment, or a file, in this order."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from darkroom.client import Client

ServerOption = Annotated[str | None, typer.Option("--server", help="The API's address. Or DARKROOM_SERVER.")]
KeyOption = Annotated[
    str | None, typer.Option("--key", help="Your API key. Or DARKROOM_KEY, which no list of processes shows.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the API's answers, for programs.")]

# Of a command: the server refused; it cannot be reached; the job has no images; the command was wrong is typer's 2.
REFUSED, UNREACHABLE, JOB_ENDED = 1, 3, 4


@dataclass(frozen=True)
class Server:
    url: str
    key: str | None


def server_of(url: str | None, key: str | None, environment: Mapping[str, str]) -> Server:
    """Raises typer.BadParameter."""
    kept = _kept(environment)
    default = f"http://127.0.0.1:{environment.get('DARKROOM_PORT') or 8000}"
    return Server(
        url or environment.get("DARKROOM_SERVER") or kept.get("server") or default,
        key or environment.get("DARKROOM_KEY") or kept.get("key"),
    )


def _kept(environment: Mapping[str, str]) -> dict[str, str]:
    folder = environment.get("XDG_CONFIG_HOME") or Path(environment.get("HOME", "~")).expanduser() / ".config"
    path = Path(folder) / "darkroom" / "client.toml"
    try:
        kept = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}") from None
    return {name: str(value) for name, value in kept.items()}


@contextmanager
def client_of(url: str | None, key: str | None) -> "Iterator[Client]":
    """Errors become a line and the command's exit code."""
    from darkroom.client import Client, ClientError, JobEnded, Unreachable

    server = server_of(url, key, os.environ)
    try:
        with Client(server.url, server.key) as client:
            yield client
    except ClientError as error:
        typer.echo(f"darkroom: {error}", err=True)
        code = UNREACHABLE if isinstance(error, Unreachable) else JOB_ENDED if isinstance(error, JobEnded) else REFUSED
        raise typer.Exit(code) from None
