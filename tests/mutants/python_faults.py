"""The faults that a Python file can be given, found in its syntax tree."""

import ast
import itertools
from collections.abc import Iterator

from tests.mutants.fault import SWAPPED, TURNED, Fault, line_at, mistaken

Change = tuple[str, int, int, str]
"""Kind, start and end in characters, and what stands there instead."""


def python_faults(path: str, text: str) -> list[Fault]:
    source = _Source(text)
    changes = {change for node in ast.walk(ast.parse(text)) for change in source.changes(node)}
    return sorted(
        Fault(path, start, end, kind, *line_at(text, start), text[start:end], after)
        for kind, start, end, after in changes
    )


class _Source:
    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.splitlines(keepends=True)
        self._starts = [0, *itertools.accumulate(len(line) for line in self._lines)]
        self._left_alone: set[ast.AST] = set()

    def changes(self, node: ast.AST) -> Iterator[Change]:
        if node in self._left_alone:
            return
        match node:
            # A named number is a choice: a test that repeats it would only say it twice.
            case ast.Module(body=body):
                self._left_alone.update(sub for part in body if _is_constant(part) for sub in ast.walk(part))
            case ast.keyword(value=ast.Constant(value=int(value)) as number) if value > 1:
                self._left_alone.add(number)
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                self._left_alone.update(value for key, value in pairs if isinstance(key, ast.Constant))
            case ast.arguments(defaults=defaults, kw_defaults=kw_defaults):
                named = [default for default in (*defaults, *kw_defaults) if default]
                self._left_alone.update(sub for default in named for sub in ast.walk(default))
            # Before Python 3.12 the tree does not say where in a formatted text a part of it stands.
            case ast.JoinedStr():
                self._left_alone.update(ast.walk(node))
            case ast.Compare(left=left, ops=[_], comparators=[right]):
                yield from self._word("comparison turned", left, right, TURNED)
            case ast.BoolOp(values=[first, second, *_]):
                yield from self._word("and/or swapped", first, second, SWAPPED)
            case ast.Expr(value=ast.Call() | ast.Await()) if not _logs(node):
                yield "call left out", *self._span(node), "pass"
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.comprehension(ifs=[test, *_]):
                start, end = self._span(test)
                yield "condition negated", start, end, f"(not ({self._text[start:end]}))"
            case ast.Constant(value=int(value)) if not isinstance(value, bool):
                yield "constant mistaken", *self._span(node), str(mistaken(value))

    def _word(self, kind: str, left: ast.expr, right: ast.expr, others: dict[str, str]) -> Iterator[Change]:
        """The operator between two expressions, beside brackets."""
        start, end = self._span(left)[1], self._span(right)[0]
        between = self._text[start:end]
        word = between.strip("() \n")
        if word in others:
            at = start + between.index(word)
            yield kind, at, at + len(word), others[word]

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset)

    def _at(self, line: int, column: int) -> int:
        """The tree counts bytes."""
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())


def _is_constant(node: ast.stmt) -> bool:
    names = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(isinstance(name, ast.Name) and name.id.isupper() for name in names)


def _logs(node: ast.AST) -> bool:
    """What an operator reads is for people to judge."""
    return ast.unparse(node).startswith(("log.", "logger."))
