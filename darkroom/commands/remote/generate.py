"""`darkroom generate`: ask for images, wait for them, and write them to files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from darkroom.commands.remote.server import JsonOption, KeyOption, ServerOption, client_of

if TYPE_CHECKING:
    from darkroom.client import Client, Job

EXAMPLES = """
Ask for images, wait for them, and write them to files.

    darkroom generate "a red circle on a white background" -o circle.png

    darkroom generate "a boat" --n 4 --size 128x128 --seed 7 -o boats/

    darkroom generate "the same at night" --image boat.png --strength 0.5
"""


def generate(
    prompt: Annotated[str, typer.Argument(help="What to draw.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A file, or a folder (which ends in /). Default: here.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="One of `darkroom models`.")] = None,
    n: Annotated[int | None, typer.Option(min=1, help="Images to make.")] = None,
    size: Annotated[str | None, typer.Option(help="Such as 1024x768.")] = None,
    steps: Annotated[int | None, typer.Option(help="Denoising steps.")] = None,
    guidance_scale: Annotated[
        float | None, typer.Option("--guidance", help="How closely to follow the prompt.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same image.")] = None,
    negative: Annotated[str | None, typer.Option(help="What to keep out.")] = None,
    output_format: Annotated[str | None, typer.Option("--format", help="png, webp or jpeg.")] = None,
    image: Annotated[list[Path] | None, typer.Option(help="A picture to start from; several for edits.")] = None,
    mask: Annotated[Path | None, typer.Option(help="Where to redraw it: white.")] = None,
    strength: Annotated[float | None, typer.Option(help="How much of it to redraw: 0 to 1.")] = None,
    bulk: Annotated[bool, typer.Option("--bulk", help="After all interactive jobs.")] = False,
    watch: Annotated[bool, typer.Option("--watch/--quiet", help="Show how far it is.")] = True,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Or print the job's id, and end.")] = True,
    json: JsonOption = False,
    server: ServerOption = None,
    key: KeyOption = None,
) -> None:
    width, height = _sides(size)
    with client_of(server, key) as client:
        pictures = [client.upload(path.read_bytes()).id for path in _there(image or [])]
        job = client.submit(
            prompt, model=model, n=n, width=width, height=height, steps=steps, guidance_scale=guidance_scale,
            seed=seed, negative_prompt=negative, output_format=output_format, strength=strength,
            image=(pictures if len(pictures) > 1 else pictures[0]) if pictures else None,
            mask=client.upload(path.read_bytes()).id if mask and (path := _there([mask])[0]) else None,
            priority="bulk" if bulk else None,
        )  # fmt: skip
        if wait:
            _show(client, job, is_shown=watch and not json)
            job = client.wait(job.id)
        if json:
            typer.echo(job.model_dump_json())
        elif not wait:
            typer.echo(job.id)
        if wait:
            write_images(client, job, out, is_told=not json)


def _show(client: "Client", job: "Job", *, is_shown: bool) -> None:
    """On the error stream, so that what is printed can be piped."""
    if not is_shown:
        return
    for event in client.watch(job.id):
        match event.kind:
            case "queued" if (place := event.data.get("queue_position")) is not None:
                eta = event.data.get("eta_s")
                typer.echo(f"in line, {place} before it" + (f", {eta:g} s" if eta else ""), err=True)
            case "step":
                end = "\n" if event.data["step"] == event.data["steps"] else ""
                typer.echo(f"\rstep {event.data['step']} of {event.data['steps']}{end}", err=True, nl=False)


def write_images(client: "Client", job: "Job", out: Path | None, *, is_told: bool) -> None:
    """Those of a job: to the one file that is named, else to a folder, by their ids."""
    for path, image in zip(paths_of(job, out), job.images, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(client.download(image))
        if is_told:
            typer.echo(path)


def paths_of(job: "Job", out: Path | None) -> list[Path]:
    if out is None or out.is_dir() or not out.suffix:
        return [(out or Path()) / f"{image.id}{image.suffix}" for image in job.images]
    if len(job.images) == 1:
        return [out]
    return [out.with_stem(f"{out.stem}-{number}") for number in range(len(job.images))]


def _sides(size: str | None) -> tuple[int | None, int | None]:
    if size is None:
        return None, None
    width, cross, height = size.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise typer.BadParameter(f"{size!r} is no size: write 1024x768")
    return int(width), int(height)


def _there(paths: list[Path]) -> list[Path]:
    for path in paths:
        if not path.is_file():
            raise typer.BadParameter(f"there is no file {path}")
    return paths
