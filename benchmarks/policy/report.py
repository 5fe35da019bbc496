"""Turns what was simulated into a page. Simulates nothing itself."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.figures import markdown_table, short
from benchmarks.policy.curves import Curve
from benchmarks.policy.experiments import LANES
from benchmarks.policy.jobs import MEAN_STEPS, STEPS
from gpu_worker.engine.policy import AGEING

Row = Mapping[str, Any]
Column = tuple[str, Callable[[Row], str]]


def report(result: Mapping[str, Any], curves: Sequence[Curve]) -> str:
    mix = ", ".join(f"{share:.0%} of {steps}" for steps, share in STEPS.items())
    return "\n\n".join(
        (
            "# Scheduling policies, simulated",
            f"`{result['command']}`: {result['jobs']:,} Poisson jobs × {result['seeds']} seeds for each row, steps "
            f"mixed ({mix}; {MEAN_STEPS:.1f} on average), {result['cpu_s']} s of one core.\n"
            "The worker's own `next_batch` chooses; lanes, line and time are simulated. All times are in steps of one "
            "image alone on that model.\nA load is a share of what the worker can do in its best batches.",
            _table(CURVE_COLUMNS, [vars(curve) | {"curve": curve} for curve in curves]),
            f"## Ways of scheduling\n\n{LANES} lanes; `ours` with ageing {AGEING}. Starving: the longest wait of all, "
            "÷ the longest under fair share. Done: work a second ÷ the worker's best, until the last job ended.",
            _table(WAY_COLUMNS, _with_starving(result["ways"])),
            "One by one is left out where more comes than it can do.",
            "## Ageing\n\nEach value ÷ continuous batching that is first come, first served, with as many lanes.",
            _table(AGEING_COLUMNS, result["ageings"]),
            "## Merging only what gains\n\nA forward takes a further job only where that adds so much to the images a "
            "second, and less the more jobs would be left behind: nothing, where a full forward's worth would. Each "
            "value ÷ full forwards as the worker makes them; p99 ÷ first come, first served.",
            _table(MERGING_COLUMNS, result["merging"]),
            "## Lanes\n\nAt 0.9 of capacity. A burst: one key sends 200 jobs of 50 steps at once, while others send at "
            "0.6 of capacity;\nthe others' times until it is worked off. Fair queueing between keys acts at the door "
            "of the lanes, so each lane beyond those that are needed makes others wait.",
            _table(LANE_COLUMNS, result["lanes"]),
            "## Lanes kept for interactive jobs\n\nA tenth of the jobs is interactive with 4 steps; in all, 1.2 of "
            "capacity comes, so a line always waits. Latency ÷ that on an idle worker.",
            _table(KEPT_COLUMNS, result["kept"]),
            "## Bulk jobs in the forwards of interactive ones\n\nAs before, with one lane kept: bulk jobs ride along "
            "where there is room, or interactive ones have forwards of their own.",
            _table(COMPANY_COLUMNS, result["company"]),
        )
    )


def _table(columns: Sequence[Column], rows: Sequence[Row]) -> str:
    return markdown_table([name for name, _ in columns], [[cell(row) for _, cell in columns] for row in rows])


def _with_starving(rows: Sequence[Row]) -> list[Row]:
    fair = {(row["model"], row["load"]): row["summary"]["all"]["longest"] for row in rows if row["way"] == "fair share"}
    return [{**row, "starving": row["summary"]["all"]["longest"] / fair[row["model"], row["load"]]} for row in rows]


def _plain(key: str) -> Callable[[Row], str]:
    return lambda row: str(row[key])


def _ratio(key: str) -> Callable[[Row], str]:
    return lambda row: f"{row[key]:.2f}"


def _summary(part: str, key: str) -> Callable[[Row], str]:
    return lambda row: short(row["summary"][part][key])


CURVE_COLUMNS: tuple[Column, ...] = (
    ("model", _plain("name")),
    ("knee, images", lambda row: str(row["curve"].knee)),
    ("best ÷ one by one", lambda row: f"{row['curve'].capacity * row['curve'].of(1):.2f}"),
    ("time of a forward", _plain("source")),
)
WAY_COLUMNS: tuple[Column, ...] = (
    ("model", _plain("model")),
    ("load", _plain("load")),
    ("", _plain("way")),
    ("mean", _summary("all", "mean")),
    ("p50", _summary("all", "p50")),
    ("p95", _summary("all", "p95")),
    ("p99", _summary("all", "p99")),
    ("4 steps, p95", _summary("fewest_steps", "p95")),
    ("50 steps, p99", _summary("most_steps", "p99")),
    ("starving", _ratio("starving")),
    ("done", lambda row: f"{row['summary']['throughput']:.2f}"),
    ("images a forward", lambda row: f"{row['summary']['images_a_forward']:.1f}"),
)
AGEING_COLUMNS: tuple[Column, ...] = (
    ("model", _plain("model")),
    ("load", _plain("load")),
    ("ageing", _plain("ageing")),
    ("mean", _ratio("mean_ratio")),
    ("p99", _ratio("p99_ratio")),
    ("p99, worst seed", lambda row: f"{max(row['p99_ratio_by_seed']):.2f}"),
    ("50 steps, p99", _ratio("most_steps_p99_ratio")),
    ("4 steps, p95", _ratio("fewest_steps_p95_ratio")),
)
MERGING_COLUMNS: tuple[Column, ...] = (
    ("model", _plain("model")),
    ("load", _plain("load")),
    ("least gain", _plain("least")),
    ("mean", _ratio("mean_ratio")),
    ("p50", _ratio("p50_ratio")),
    ("p95", _ratio("p95_ratio")),
    ("4 steps, p95", _ratio("fewest_steps_p95_ratio")),
    ("images a forward", _ratio("images_a_forward")),
    ("p99", _ratio("p99_over_first")),
    ("p99, full forwards", _ratio("full_p99_over_first")),
)
LANE_COLUMNS: tuple[Column, ...] = (
    ("model", _plain("model")),
    ("lanes", _plain("lanes")),
    ("mean", _summary("all", "mean")),
    ("p99", _summary("all", "p99")),
    ("4 steps, p95", _summary("fewest_steps", "p95")),
    ("others in a burst, mean", lambda row: short(row["others_in_a_burst"]["mean"])),
    ("p95", lambda row: short(row["others_in_a_burst"]["p95"])),
)
INTERACTIVE_COLUMNS: tuple[Column, ...] = (
    ("interactive, p50", _ratio("p50_over_idle")),
    ("p95", _ratio("p95_over_idle")),
    ("throughput ÷ best", _ratio("throughput")),
)
KEPT_COLUMNS: tuple[Column, ...] = (("model", _plain("model")), ("lanes kept", _plain("kept")), *INTERACTIVE_COLUMNS)
COMPANY_COLUMNS: tuple[Column, ...] = (
    ("model", _plain("model")),
    ("interactive", lambda row: f"{row['interactive_share']:.0%} of jobs"),
    ("bulk", _plain("bulk")),
    *INTERACTIVE_COLUMNS,
)
