"""Draws each system's latencies on each curve."""

from collections.abc import Mapping
from pathlib import Path

from benchmarks.batching.systems import OURS
from benchmarks.emulated.kept import Kept
from benchmarks.emulated.systems import EMULATED
from benchmarks.emulation import CURVES

OURS_COLOUR, THEIR_COLOUR = "#0b7285", "#868e96"


def plot(kept: Mapping[str, Kept], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("agg")  # no display
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(len(kept), 2, figsize=(11, 2.6 * len(kept) + 0.6), layout="constrained", squeeze=False)
    for row, (curve, each) in zip(axes, kept.items(), strict=True):
        for axis, figure_of in zip(row, ("p50_s", "p95_s"), strict=True):
            for name, measured in each.result.systems.items():
                loads = sorted(measured.open, key=float)
                values = [getattr(measured.open[load], figure_of) for load in loads]
                is_tuned = name.endswith("-tuned")
                axis.plot(
                    [float(load) for load in loads],
                    [float("nan") if value is None else value for value in values],
                    "o--" if is_tuned else "o-",
                    color=OURS_COLOUR if name == OURS else THEIR_COLOUR,
                    linewidth=2 if name == OURS else 1,
                )
                axis.annotate(f" {EMULATED[name].title}", (float(loads[-1]), values[-1] or 0), fontsize=6)
            axis.set(title=f"{CURVES[curve].title}, emulated: {figure_of[:3]}, s", xlabel="load", yscale="log")
            axis.margins(x=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)
