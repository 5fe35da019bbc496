"""Draws throughput and latency of each system side by side."""

from pathlib import Path

from benchmarks.batching.comparison import Comparison
from benchmarks.batching.offline import Offline
from benchmarks.batching.systems import OURS, SYSTEMS
from benchmarks.work import SHORTEST

OURS_COLOUR, THEIR_COLOUR, SHORT_COLOUR = "#0b7285", "#868e96", "#f08c00"


def plot(offline: Offline, comparison: Comparison, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("agg")  # no display
    from matplotlib import pyplot as plt

    names = list(comparison.systems)
    titles = [SYSTEMS[name].title.replace(", a process", ",\na process") for name in names]
    colours = [OURS_COLOUR if name == OURS else THEIR_COLOUR for name in names]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 0.55 * len(names) + 1.8), layout="constrained")

    rates = [comparison.systems[name].closed.images_per_s for name in names]
    left.bar_label(left.barh(titles, rates, color=colours), fmt="%.2f", label_type="center", color="white")
    left.axvline(offline.in_best_batches, linestyle="--", color="black", label="offline loop, best batch")
    left.axvline(offline.one_by_one, linestyle=":", color="black", label="offline loop, one by one")
    left.set(title="images/s, all jobs at once", xlim=(0, 1.15 * max([*rates, offline.in_best_batches])))
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False)

    runs = [comparison.systems[name].open for name in names]
    rows = range(len(names))
    series = (("all jobs", 0.2, colours, [run.p95_s for run in runs]),
              (f"{SHORTEST} steps", -0.2, SHORT_COLOUR, [run.short_p95_s for run in runs]))  # fmt: skip
    for label, shift, colour, values in series:
        bars = right.barh([row + shift for row in rows], [value or 0 for value in values], 0.36, color=colour)
        right.bar_label(bars, ["failed" if value is None else f"{value:.1f}" for value in values], padding=3)
        bars.set_label(label)
    right.set_yticks(rows, ["" for _ in rows])
    right.set(title="p95 latency, the same Poisson load, s")
    right.margins(x=0.12)
    right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False)
    figure.savefig(path, dpi=120)
    plt.close(figure)
