"""Draws what was simulated: latency by way of scheduling, and what each ageing gains and costs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gpu_worker.engine.policy import AGEING

LOAD = 0.8
WAYS = ("static", "first come", "fair share", "ours")
MEASURES = (("all", "mean", "mean"), ("all", "p99", "p99 of all"), ("fewest_steps", "p95", "p95 of 4-step jobs"))
RATIOS = ("mean_ratio", "p99_ratio", "fewest_steps_p95_ratio")

Rows = Sequence[Mapping[str, Any]]


def plot(result: Mapping[str, Any], models: Sequence[str], path: Path) -> None:
    """Raises ImportError without matplotlib."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, (above, below) = pyplot.subplots(2, len(models), figsize=(4 * len(models), 7), constrained_layout=True)
    for model, bars, curves in zip(models, above, below, strict=True):
        _ways(bars, model, [row for row in result["ways"] if row["model"] == model and row["load"] == LOAD])
        _ageings(curves, [row for row in result["ageings"] if row["model"] == model and row["load"] == LOAD])
    above[0].set_ylabel("latency, steps of one image alone")
    below[0].set_ylabel("÷ first come, first served")
    above[0].legend(fontsize="small")
    below[0].legend(fontsize="small")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _ways(axes: Any, model: str, rows: Rows) -> None:
    summaries = {row["way"]: row["summary"] for row in rows}
    for offset, (part, key, label) in enumerate(MEASURES):
        places = [place + 0.27 * (offset - 1) for place in range(len(WAYS))]
        axes.bar(places, [summaries[way][part][key] for way in WAYS], width=0.25, label=label)
    axes.set_xticks(range(len(WAYS)), WAYS)
    axes.set_title(f"{model}, load {LOAD}")


def _ageings(axes: Any, rows: Rows) -> None:
    ageings = [row["ageing"] for row in rows]
    places = range(len(ageings))
    for key, (_, _, label) in zip(RATIOS, MEASURES, strict=True):
        axes.plot(places, [row[key] for row in rows], marker="o", markersize=3, label=label)
    axes.axhline(1.2, color="grey", linewidth=0.8, linestyle="--")
    axes.axvline(ageings.index(AGEING), color="grey", linewidth=0.8, linestyle=":")
    axes.set_xticks(places, [f"{ageing:g}" for ageing in ageings], fontsize="small")
    axes.set_xlabel("ageing")
