"""Shows a job's steps: a bar on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

OnStep = Callable[[int, int], None]


@contextmanager
def step_display(stream: TextIO) -> Iterator[OnStep]:
    """A context of the main thread, so that the cursor comes back whatever happens to the job."""
    if not stream.isatty():
        yield plain_lines(stream)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("  drawing"), BarColumn(), MofNCompleteColumn(), TextColumn("steps"), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=stream)) as progress:
        task = progress.add_task("drawing", total=None)
        yield lambda step, steps: progress.update(task, completed=step, total=steps)


def plain_lines(stream: TextIO) -> OnStep:
    """About ten lines, however many steps."""
    shown = -1

    def on_step(step: int, steps: int) -> None:
        nonlocal shown
        tenth = 10 * step // max(steps, 1)
        if tenth > shown:
            shown = tenth
            stream.write(f"  step {step} of {steps}\n")
            stream.flush()

    return on_step
