"""Turns what was measured on emulated devices into a page that says so. Measures nothing itself."""

from collections.abc import Mapping
from dataclasses import asdict

from benchmarks.batching.interruption import LONG_STEPS, SHORT_STEPS
from benchmarks.emulated.kept import Kept
from benchmarks.emulated.measuring import Measured
from benchmarks.emulated.ratios import TARGETS, Ratios, ratios
from benchmarks.emulated.systems import EMULATED
from benchmarks.emulation import CURVES, Curve
from benchmarks.figures import markdown_table
from benchmarks.work import SHORTEST, USUAL

TITLE = "# Darkroom and its peers on an emulated device"
WARNING = (
    "**Emulated: no GPU was here.** Each forward of the denoiser takes as long as the curve says, by sleeping; so no "
    "figure on this page is one of a GPU. Real are the services, their queues and batching, the pipelines (with tiny "
    "tensors), and what Python and this machine's cores cost around a forward. Text encoders and autoencoders are "
    "tiny, and take next to no time."
)


def report(kept: Mapping[str, Kept]) -> str:
    parts = [TITLE, WARNING, _steps(), *(part for each in kept.values() for part in _curve(each))]
    return "\n\n".join([*parts, "![Latencies](emulated.png)\n"])


def _steps() -> str:
    mix = ", ".join(f"{steps} steps {share:.0%}" for steps, share in USUAL.items())
    return (
        f"Jobs: {mix}; the same for all systems, at the same moments. Images/s: all jobs at once. Latencies: Poisson "
        "arrivals, at a share of what the offline loop makes in its best batches; from due until the file is there."
    )


def _curve(kept: Kept) -> list[str]:
    curve, result = CURVES[kept.curve], kept.result
    interruption = [_interruption(measured) for measured in result.systems.values()]
    return [
        f"## {curve.title} (emulated)",
        *_busy(kept),
        _setting(kept, curve),
        markdown_table(*_table(kept)),
        *[f"Not run: {EMULATED[name].title}: {reason.splitlines()[0]}" for name, reason in result.not_run.items()],
        *filter(None, interruption),
        markdown_table(*_ratio_table(ratios(result), gains=curve.gain > 1.1)),
    ]


def _busy(kept: Kept) -> list[str]:
    """Whatever else runs takes cores from some systems more than from others."""
    cores, load = kept.about["machine"]["cores"], kept.about["machine"]["load_before"]
    if load <= cores:
        return []
    return [
        f"**Not a fair comparison yet: other work kept this machine busy (load average {load:.1f} on {cores} cores "
        "before), and not equally for each system. It shows that everything runs; run it again on a quiet machine.**"
    ]


def _setting(kept: Kept, curve: Curve) -> str:
    about = dict(kept.about)
    machine = dict(about["machine"])
    cores, load = machine.pop("cores"), machine.pop("load_before")
    versions = ", ".join(f"{name} {version}" for name, version in machine.items())
    forwards = ", ".join(f"{images}: {1000 * curve.seconds(images):.0f}" for images in (1, 2, 4, 8))
    return "\n".join(
        (
            f"`{about['command']}`; {about['jobs']} jobs, seed {about['seed']}.",
            f"{cores} cores, load average before {load:.1f}; {versions}.",
            "",
            f"- Milliseconds of a forward by images: {forwards}.",
            f"- Source: {curve.source}.",
        )
    )


def _table(kept: Kept) -> tuple[list[str], list[list[str]]]:
    result = kept.result
    loads = [str(load) for load in kept.about["loads"]]
    header = ["", "images/s", *(f"p50 · p95 · {SHORTEST} steps' p95 at {load}, s" for load in loads), "failed"]
    blank = ["–"] * (len(loads) + 1)
    rows = [
        ["offline loop, one by one", f"{result.offline.one_by_one:.2f}", *blank],
        [f"offline loop, best batch ({result.offline.best_batch})", f"{result.offline.in_best_batches:.2f}", *blank],
    ]
    for name, measured in result.systems.items():
        runs = [measured.open[load] for load in loads]
        failed = measured.closed.failed + sum(run.failed for run in runs)
        cells = [" · ".join(map(_seconds, (run.p50_s, run.p95_s, run.short_p95_s))) for run in runs]
        rows.append([EMULATED[name].title, f"{measured.closed.images_per_s:.2f}", *cells, str(failed)])
    return header, rows


def _interruption(measured: Measured) -> str | None:
    found = measured.interruption
    if found is None:
        reason = measured.not_interrupted
        return f"The interactive job among bulk ones was not measured: {reason}" if reason else None
    return (
        f"A {SHORT_STEPS}-step interactive job in Darkroom, p50 of {found.samples}: {found.idle_p50_s:.2f} s on an "
        f"idle worker, {found.busy_p50_s:.2f} s on one filled with {LONG_STEPS}-step bulk jobs."
    )


def _ratio_table(by_load: Mapping[str, Ratios], *, gains: bool) -> tuple[list[str], list[list[str]]]:
    header = ["ratio", *(f"at {load}" for load in by_load), "target (latencies: at 0.7)"]
    figures = {load: asdict(each) for load, each in by_load.items()}
    rows = [
        [name, *(_ratio(each[name]) for each in figures.values()), targets[0 if gains else 1]]
        for name, targets in TARGETS.items()
    ]
    return header, rows


def _ratio(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f}"


def _seconds(value: float | None) -> str:
    return "too many failed" if value is None else f"{value:.2f}"
