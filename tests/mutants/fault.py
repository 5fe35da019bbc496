"""A small fault that a hand could have made: one place of one file, written otherwise."""

from dataclasses import dataclass

# What stands for an operator that was mistaken. Each turns back into its other.
TURNED = {
    "==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">",
    "is": "is not", "is not": "is", "in": "not in", "not in": "in",
}  # fmt: skip
SWAPPED = {"and": "or", "or": "and"}


def line_at(text: str, at: int) -> tuple[int, str]:
    """Its number, and what it says."""
    number = text.count("\n", 0, at)
    return number + 1, text.splitlines()[number].strip()


def mistaken(number: int) -> int:
    """Off by one, or twice as much where one is nothing: of milliseconds, say."""
    return number + 1 if number < 100 else number * 2


@dataclass(frozen=True, order=True)
class Fault:
    path: str
    start: int
    """In characters of the file."""
    end: int
    kind: str
    line: int
    code: str
    """The line as it stands."""
    before: str
    after: str

    def put_into(self, text: str) -> str:
        assert text[self.start : self.end] == self.before, f"{self.path} has changed since it was read"
        return text[: self.start] + self.after + text[self.end :]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.kind}: {_short(self.before)} -> {_short(self.after)}"


def _short(code: str) -> str:
    line = " ".join(code.split())
    return line if len(line) <= 70 else f"{line[:67]}..."
