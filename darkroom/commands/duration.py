"""Durations as people write them on a command line: `90d`, `12h`, `30m`, `45s`."""

import re

import typer

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds_of(text: str) -> int:
    """Raises typer.BadParameter."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text.strip().lower())
    if not found:
        raise typer.BadParameter(f"{text!r} is no duration: write 90d, 12h, 30m or 45s")
    return int(found[1]) * SECONDS[found[2]]
