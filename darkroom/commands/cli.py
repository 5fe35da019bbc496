"""The `darkroom` command. Each command imports what it needs when it runs, so that `--help` comes at once."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, NoReturn

import typer

from darkroom.commands import dead_command, keys_command
from darkroom.commands.remote import generate, jobs
from darkroom.errors import DarkroomError, Misconfigured

app = typer.Typer(no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False)
app.add_typer(dead_command.app, name="dead")
app.add_typer(keys_command.app, name="keys")
# These speak to a server over HTTP alone: they need neither its Redis nor its settings.
app.command(help=generate.EXAMPLES)(generate.generate)
for command in (jobs.status, jobs.cancel, jobs.fetch, jobs.models, jobs.queue, jobs.workers):
    app.command()(command)

INTERRUPTED = 130  # what shells report for a command that Ctrl-C ended


def main() -> NoReturn:
    try:
        app()
    except DarkroomError as error:
        print(f"darkroom: {error}", file=sys.stderr)
        sys.exit(1)
    sys.exit(0)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"darkroom {version('darkroom')}")
        raise typer.Exit


@app.callback()
def darkroom(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Self-hosted image generation: post a prompt, get a job at once, fetch the image by signed URL."""


@app.command()
def demo(
    prompt: Annotated[str, typer.Option(help="What to draw.")] = "a red circle on a white background",
    model: Annotated[str | None, typer.Option(help="A model of the catalogue.")] = None,
    steps: Annotated[int | None, typer.Option(help="Denoising steps.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same image.")] = None,
    width: Annotated[int | None, typer.Option(help="Pixels.")] = None,
    height: Annotated[int | None, typer.Option(help="Pixels.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the image.")] = Path("out"),
) -> None:
    """Start everything, make one image, stop everything."""
    from darkroom.local.demo.demo import demo
    from darkroom.local.demo.demo_client import Order
    from darkroom.local.processes.supervisor import StopAsked
    from darkroom.settings import read_settings

    order = Order(prompt=prompt, model=model, steps=steps, seed=seed, width=width, height=height)
    try:
        demo(order, read_settings(), os.environ, out, sys.stdout)
    except StopAsked:
        raise typer.Exit(INTERRUPTED) from None


@app.command()
def up(
    flower: Annotated[bool, typer.Option("--flower", help="Also start Flower, behind a password.")] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="Port of the API.")] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser once it is there.")] = False,
) -> None:
    """Start everything on this machine, and keep it running until Ctrl-C."""
    import webbrowser

    from darkroom.local.flower_access import flower_access
    from darkroom.local.port import any_free
    from darkroom.local.processes.signals import hang_up_with
    from darkroom.local.up import up
    from darkroom.settings import read_settings

    settings = read_settings()
    if port is not None:
        settings = settings.model_copy(update={"port": port})
    if sys.stdout.isatty():
        hang_up_with(sys.stdout.fileno())
    if flower and settings.queue != "celery":
        raise Misconfigured(f"Flower shows Celery's tasks, and DARKROOM_QUEUE is {settings.queue}. Leave out --flower.")
    access = flower_access(os.environ, any_free(preferred=5555)) if flower else None
    up(settings, os.environ, sys.stdout, access, webbrowser.open if open_page else lambda _: None)


@app.command()
def api() -> None:
    """Run the API alone. The same as `python -m api`."""
    from darkroom.local.stack import api_command

    _become(api_command())


@app.command()
def worker(
    models: Annotated[
        list[str] | None, typer.Argument(help="Models to hold; without any, those of DARKROOM_GPU_MODELS.")
    ] = None,
    name: Annotated[str, typer.Option(help="One of its own for each worker of a machine.")] = "gpu",
) -> None:
    """Run a GPU worker. Short for `celery -A gpu_worker.app worker -Q gpu.MODEL,…`, or for ARQ's command."""
    from darkroom.local.worker_command import gpu_worker
    from darkroom.settings import read_settings

    settings = read_settings()
    start = gpu_worker(settings.queue, models or settings.gpu_models, name)
    _become(start.command, start.environment)


@app.command()
def cpu_worker(
    name: Annotated[str, typer.Option(help="One of its own for each worker of a machine.")] = "cpu",
) -> None:
    """Run a CPU worker. Short for `celery -A cpu_worker.app worker`, or for ARQ's command."""
    from darkroom.local.worker_command import cpu_worker
    from darkroom.settings import read_settings

    start = cpu_worker(read_settings().queue, name)
    _become(start.command, start.environment)


@app.command()
def data() -> None:
    """Print the keys that the job store keeps in Redis, as the table of docs/data.md."""
    from darkroom.commands.data_table import data_page

    print(data_page(), end="")


@app.command()
def settings() -> None:
    """Print all settings as the table of docs/settings.md."""
    from darkroom.commands.settings_table import settings_page

    print(settings_page(), end="")


def _become(command: tuple[str, ...], told: Mapping[str, str] = MappingProxyType({})) -> NoReturn:
    os.execve(command[0], command, {**os.environ, **told})  # noqa: S606
