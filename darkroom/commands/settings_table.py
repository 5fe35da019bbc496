"""All settings as a table in Markdown: `docs/settings.md` is made from it, and never by hand."""

from collections.abc import Iterator
from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from darkroom.settings import BUNDLED_CATALOGUE, Settings

HEAD = """# Settings

Every setting is an environment variable, read once when a process starts.
This page is written by `darkroom settings > docs/settings.md`.

| variable | default | allowed | what it is |
|---|---|---|---|
"""


def settings_page() -> str:
    return HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items())


def _row(name: str, field: FieldInfo) -> str:
    cells = (f"`DARKROOM_{name.upper()}`", _default(field.default), ", ".join(_allowed(field)), field.description or "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _default(value: object) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value == BUNDLED_CATALOGUE:
        return "the bundled one"
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    return "–" if value is None or value == "" else f"`{value}`"


def _allowed(field: FieldInfo) -> Iterator[str]:
    yield from (f"`{choice}`" for choice in _choices(field.annotation))
    for bound in field.metadata:
        match bound:
            case Ge(ge=number):
                yield f"≥ {number:,}"
            case Gt(gt=number):
                yield f"> {number:,}"
            case Le(le=number):
                yield f"≤ {number:,}"
            case Lt(lt=number):
                yield f"< {number:,}"


def _choices(annotation: Any) -> tuple[str, ...]:
    return tuple(choice for choice in get_args(annotation) if isinstance(choice, str))
