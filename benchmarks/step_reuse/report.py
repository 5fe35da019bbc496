"""Turns what was measured of step reuse into a page. Measures nothing itself."""

from collections.abc import Mapping
from typing import Any

from benchmarks.figures import markdown_table

HEADER = ("scheduler", "steps", "reuse", "rows saved", "PSNR, dB", "worst", "SSIM", "images/s", "÷ off", "÷ off, CPU")


def report(result: Mapping[str, Any]) -> str:
    machine = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
    parts = (
        "# Step reuse",
        f"`{result['command']}`: minilab, {result['prompts']} prompts with a seed each, in batches of up to 16 jobs;\n"
        f"one thread of the CPU. {machine}.",
        "Likeness is to the image of all steps, both with 8 bits a channel; the mean over prompts, and the worst of\n"
        "them. *Fewer steps* asks for as many as `medium` computed, without reuse: what else a client could do for\n"
        "as much speed. *÷ off* compares images a second, by the clock and by CPU time; the second holds on a\n"
        "machine that does other work meanwhile.",
        markdown_table(HEADER, [_cells(row, _off(row, result)) for row in result["rows"]]),
        "![Each row a level](step_reuse.png)",
        "Rows from top to bottom: off, low, medium, high.",
        "## What it costs a lane",
        "Milliseconds a step for the latents of one image of 1024x1024, on one thread of this CPU, without any\n"
        "network: where a step is computed, and where it is answered from memory.",
        markdown_table(("latents", "computed", "from memory"), [_cost(cost) for cost in result["costs"]]),
    )
    return "\n\n".join(parts) + "\n"


def _cost(cost: Mapping[str, Any]) -> tuple[str, str, str]:
    return cost["model"], f"{cost['computed_ms']:.2f}", f"{cost['recalled_ms']:.2f}"


def _off(row: Mapping[str, Any], result: Mapping[str, Any]) -> Mapping[str, Any]:
    off: Mapping[str, Any] = next(
        each for each in result["rows"] if each["scheduler"] == row["scheduler"] and each["level"] == "off"
    )
    return off


def _cells(row: Mapping[str, Any], off: Mapping[str, Any]) -> tuple[str, ...]:
    is_off = row["level"] == "off"
    return (
        row["scheduler"],
        str(row["steps"]),
        row["level"],
        "" if is_off else f"{row['saved']:.0%}",
        "" if is_off else f"{row['psnr_db']:.1f}",
        "" if is_off else f"{row['worst_psnr_db']:.1f}",
        "" if is_off else f"{row['ssim']:.4f}",
        f"{row['images_per_s']:.2f}",
        f"{row['images_per_s'] / off['images_per_s']:.2f}",
        f"{row['images_per_cpu_s'] / off['images_per_cpu_s']:.2f}",
    )
