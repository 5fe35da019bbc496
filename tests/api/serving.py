"""A real uvicorn in a thread, so that streams, disconnects, ranges and odd bytes meet what they meet in service."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

import uvicorn
from fastapi import FastAPI

from api.application import create_app
from api.services import Services
from darkroom.settings import Settings


@dataclass(frozen=True)
class Serving:
    app: FastAPI
    url: str
    port: int

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services


@contextmanager
def serving(settings: Settings, port: int = 0, *, public_url: str | None = None) -> Iterator[Serving]:
    """It listens on a port of its own, which its links name too; or on the one that a server before it had.

    A public URL makes its links name another address.
    """
    with socket.create_server(("127.0.0.1", port)) as listener:
        port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        app = create_app(settings.model_copy(update={"public_url": public_url or url}))
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1, server_header=False)
        )
        # A daemon, so that a test that hangs can be interrupted.
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield Serving(app, url, port)
        finally:
            server.should_exit = True
            thread.join(timeout=10)
        assert not thread.is_alive()


def spoken(api: Serving, words: str, *, ends: bool = True) -> str:
    """What a client hears that says just these bytes and no more. For what no HTTP library would send.

    One that does not end says nothing more, and leaves it to the server to close the connection.
    """
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as connection:
        connection.sendall(words.encode())
        if ends:
            connection.shutdown(socket.SHUT_WR)
        heard = b""
        while part := connection.recv(65_536):
            heard += part
    return heard.decode()
