"""The table of scores, printed and put into the model card between two marks."""

from pathlib import Path

BEGIN, END = "<!-- scores: begin -->", "<!-- scores: end -->"


def write_table(columns: dict[str, dict[str, float]], card: Path | None) -> str:
    """In per cent. Raises ValueError if the card lacks the marks."""
    table = _table(columns)
    if card is not None:
        text = card.read_text()
        before, _, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not end:
            raise ValueError(f"{card} needs the lines {BEGIN} and {END}, between which the table goes.")
        card.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")
    return table


def _table(columns: dict[str, dict[str, float]]) -> str:
    rows = next(iter(columns.values()))
    lines = [f"| right, in % | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    lines += [f"| {row} | {' | '.join(f'{100 * scores[row]:.1f}' for scores in columns.values())} |" for row in rows]
    return "\n".join(lines)
