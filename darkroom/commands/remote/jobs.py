"""`darkroom status`, `cancel`, `fetch`, `models`, `queue` and `workers`: what one asks a server, from anywhere."""

import json as as_json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from darkroom.commands.remote.generate import write_images
from darkroom.commands.remote.server import JsonOption, KeyOption, ServerOption, client_of

JobId = Annotated[str, typer.Argument(help="As `darkroom generate --no-wait` prints it.")]


def status(
    job_id: Annotated[str | None, typer.Argument(help="Default: your newest jobs.")] = None,
    json: JsonOption = False,
    server: ServerOption = None,
    key: KeyOption = None,
) -> None:
    """How a job stands, or your newest ones."""
    with client_of(server, key) as client:
        jobs = [client.job(job_id)] if job_id else client.jobs().jobs
        for job in jobs:
            if json:
                typer.echo(job.model_dump_json())
                continue
            said = job.error.message if job.error else job.notice or ""
            place = f"{job.queue_position} before it" if job.queue_position is not None else ""
            typer.echo(f"{job.id}  {job.status:<9} {job.model:<16} {place}{said}".rstrip())


def cancel(job_id: JobId, server: ServerOption = None, key: KeyOption = None) -> None:
    """Cancel a job that waits or runs."""
    with client_of(server, key) as client:
        typer.echo(client.cancel(job_id).status)


def fetch(
    job_id: JobId,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A file, or a folder. Default: here.")] = None,
    server: ServerOption = None,
    key: KeyOption = None,
) -> None:
    """Wait for a job, and write its images to files."""
    with client_of(server, key) as client:
        write_images(client, client.wait(job_id), out, is_told=True)


def models(json: JsonOption = False, server: ServerOption = None, key: KeyOption = None) -> None:
    """The models that you may use, and how many jobs of each can run at once now."""
    with client_of(server, key) as client:
        answer = client.read("/models")
    _print(answer["models"], json, lambda each: f"{each['id']:<20} {each['lanes']:>4} lanes  {each['title']}")


def queue(json: JsonOption = False, server: ServerOption = None, key: KeyOption = None) -> None:
    """Who waits, by model. For operators."""
    with client_of(server, key) as client:
        answer = client.read("/admin/operations")
    _print(answer["lines"], json, _line)


def workers(json: JsonOption = False, server: ServerOption = None, key: KeyOption = None) -> None:
    """Who works, and at what. For operators."""
    with client_of(server, key) as client:
        answer = client.read("/admin/operations")
    _print(answer["workers"], json, _worker)


def _line(line: dict[str, Any]) -> str:
    eta = "" if line["eta_s"] is None else f"  {line['eta_s']:g} s"
    return f"{line['model']:<20} {line['interactive']} interactive, {line['bulk']} bulk, {line['lanes']} lanes{eta}"


def _worker(worker: dict[str, Any]) -> str:
    models = ", ".join(worker["models"])
    made = worker["images_per_minute"]
    return f"{worker['name']:<28} {worker['kind']:<4} {worker['device']:<10} {made} images a minute  {models}".rstrip()


def _print(rows: list[dict[str, Any]], json: bool, line: Callable[[dict[str, Any]], str]) -> None:
    for row in rows:
        typer.echo(as_json.dumps(row) if json else line(row))
