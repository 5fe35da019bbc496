"""The tree of errors is drawn at the top of its file, whole."""

import inspect
from collections.abc import Iterator

from darkroom import errors
from darkroom.errors import DarkroomError


def kinds(of: type[DarkroomError] = DarkroomError) -> Iterator[type[DarkroomError]]:
    yield of
    for kind in of.__subclasses__():
        yield from kinds(kind)


def test_every_error_is_in_the_drawing() -> None:
    drawing = inspect.getdoc(errors) or ""
    ours = [kind for kind in kinds() if kind.__module__ == errors.__name__]

    assert [kind.__name__ for kind in ours if kind.__name__ not in drawing] == []


def test_no_two_errors_share_a_code() -> None:
    codes = [kind.code for kind in kinds() if kind.__module__ == errors.__name__]

    assert len(codes) == len(set(codes))
