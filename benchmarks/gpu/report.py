"""Turns the campaign's results into a page, and the curves into a plot. Measures nothing itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import markdown_table
from benchmarks.gpu.campaign import Outcome

REHEARSED = "**A rehearsal: tiny models on a CPU. No figure here says anything about a GPU.**"


def report(outcomes: Sequence[Outcome], *, is_rehearsal: bool) -> str:
    device = ", ".join(f"{name} {value}" for name, value in outcomes[0].device.items())
    parts = [
        "# The campaign on a GPU",
        *([REHEARSED] if is_rehearsal else []),
        f"`make gpu`; {device}.",
        markdown_table(("piece", "question", "state", "s"), [_row(outcome) for outcome in outcomes]),
        *_forwards(outcomes),
        *(f"`{each.piece}`: `{each.found}`" for each in outcomes if _is_plain(each)),
        *(f"`{each.piece}` {each.state}: `{_last_line(each)}`" for each in outcomes if each.state != "done"),
    ]
    return "\n\n".join(parts) + "\n"


def _row(outcome: Outcome) -> tuple[str, ...]:
    return outcome.piece, outcome.question, outcome.state, f"{outcome.seconds:.0f}"


def _forwards(outcomes: Sequence[Outcome]) -> list[str]:
    """A row for each model and tuning, a column for each number of images."""
    curves = {outcome.piece: outcome.found["images"] for outcome in outcomes if _has_images(outcome)}
    if not curves:
        return []
    sizes = sorted({size for images in curves.values() for size in images}, key=int)
    header = ("milliseconds · images/s · MiB", *(f"{size} images" for size in sizes))
    rows = [(name, *(_cell(images.get(size)) for size in sizes)) for name, images in curves.items()]
    return ["A forward of the denoiser:", markdown_table(header, rows)]


def _cell(forward: dict[str, float] | None) -> str:
    return "–" if forward is None else f"{forward['ms']} · {forward['images_a_second']} · {forward['mib']}"


def _has_images(outcome: Outcome) -> bool:
    return outcome.state == "done" and isinstance(outcome.found, dict) and "images" in outcome.found


def _is_plain(outcome: Outcome) -> bool:
    return outcome.state == "done" and not _has_images(outcome)


def _last_line(outcome: Outcome) -> str:
    return outcome.tail.strip().rpartition("\n")[2].replace("`", "'")


def plot(outcomes: Sequence[Outcome], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("agg")  # no display
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(9, 5), layout="constrained")
    for outcome in filter(_has_images, outcomes):
        images: dict[str, Any] = outcome.found["images"]
        rates = [each["images_a_second"] for each in images.values()]
        axis.plot([int(size) for size in images], [rate / rates[0] for rate in rates], "o-", label=outcome.piece)
    axis.set(xlabel="images in a forward", ylabel="images a second, of one alone", xscale="log")
    axis.legend(fontsize=7)
    figure.savefig(path, dpi=110)
    plt.close(figure)
