"""Pages of results as they are kept: no line longer than those of our other pages, but for tables."""

import re
import textwrap

WIDTH = 120


def within_width(page: str) -> str:
    """Breaks long paragraphs and items of lists. A table's row, an image or a line of code cannot be broken."""
    return "\n".join(part for line in page.split("\n") for part in _broken(line))


def _broken(line: str) -> list[str]:
    if len(line) <= WIDTH or line.startswith(("|", "!", "#", "    ")):
        return [line]
    marker = re.match(r"(?:- |\d+\. )?", line)
    indent = " " * len(marker.group()) if marker else ""
    return textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
