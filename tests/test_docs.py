"""What the documents name must be there: a file that moved, or a command that was renamed, fails here."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom.settings import Settings

PAGES = ("README.md", "CHANGELOG.md", "docs/structure.md")
# Made when the commands run.
MADE = frozenset({"out/", "data/", ".venv/"})
FILE = re.compile(r"[\w.-]+(?:/[\w.@-]+)*\.(?:py|lua|md|toml|yml|json|example)|[\w.-]+(?:/[\w.-]+)*/|Dockerfile[\w.]*")
BLOCK = re.compile(r"^```.*?^```", flags=re.MULTILINE | re.DOTALL)
WIDTH = 120
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives", "Enforced by"]


def blocks(page: str) -> list[str]:
    return BLOCK.findall(page)


def code(page: str) -> Iterator[str]:
    """What stands in backquotes, outside blocks."""
    yield from re.findall(r"`([^`\n]+)`", BLOCK.sub("", page))


def links(page: str) -> Iterator[str]:
    """Where links into this repository lead."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page):
        if "://" not in target and not target.startswith("#"):
            yield target.partition("#")[0]


@pytest.mark.parametrize("name", PAGES)
def test_every_file_that_a_page_names_is_there(repository: Path, name: str) -> None:
    page = (repository / name).read_text(encoding="utf-8")

    named = {word for word in code(page) if FILE.fullmatch(word)} - MADE
    missing = [word for word in sorted(named) if not (repository / word).exists()]

    assert missing == []


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_a_page_leads_somewhere(repository: Path, name: str) -> None:
    path = repository / name

    missing = [target for target in links(path.read_text(encoding="utf-8")) if not (path.parent / target).exists()]

    assert missing == []


def test_every_make_command_of_the_readme_is_in_the_makefile(repository: Path) -> None:
    readme = (repository / "README.md").read_text(encoding="utf-8")
    makefile = (repository / "Makefile").read_text(encoding="utf-8")

    lines = "\n".join([*code(readme), *blocks(readme)])
    named = set(re.findall(r"^(?:\w+=\S+ )*make ([a-z][a-z-]*)", lines, flags=re.MULTILINE))

    assert {"demo", "up", "test", "check"} <= named
    assert named <= set(re.findall(r"^([a-z][a-z-]*):", makefile, flags=re.MULTILINE))


@pytest.mark.parametrize("name", PAGES)
def test_every_setting_that_a_page_names_exists(repository: Path, name: str) -> None:
    known = {f"DARKROOM_{field.upper()}" for field in Settings.model_fields}

    named = set(re.findall(r"\bDARKROOM_[A-Z0-9_]*[A-Z0-9]\b", (repository / name).read_text(encoding="utf-8")))

    assert named <= known


def test_structure_names_every_script(repository: Path) -> None:
    page = (repository / "docs/structure.md").read_text(encoding="utf-8")

    scripts = {f"darkroom/job_store/lua/{path.name}" for path in (repository / "darkroom/job_store/lua").glob("*.lua")}

    assert scripts <= set(code(page))


def test_no_line_of_a_page_is_long_but_a_table_s(repository: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", "-z", "*.md"], cwd=repository, capture_output=True, check=True).stdout
    pages = [name for name in tracked.decode().split("\0") if name]

    lines = [(page, line) for page in pages for line in (repository / page).read_text(encoding="utf-8").splitlines()]
    long = [f"{page}: {line[:60]}…" for page, line in lines if len(line) > WIDTH and not line.startswith("|")]

    assert long == []


def decisions() -> list[Path]:
    return sorted((Path(__file__).parent.parent / "docs/decisions").glob("*.md"))


@pytest.mark.parametrize("path", decisions(), ids=lambda path: path.stem[:4])
def test_a_decision_is_short_and_has_its_five_parts(path: Path) -> None:
    page = path.read_text(encoding="utf-8")

    assert page.startswith(f"# {path.stem[:4]}: ")
    assert re.findall(r"^## (.+)$", page, flags=re.MULTILINE) == SECTIONS
    assert len(page.splitlines()) <= 60


@pytest.mark.parametrize("path", decisions(), ids=lambda path: path.stem[:4])
def test_what_enforces_a_decision_exists(repository: Path, path: Path) -> None:
    enforced = path.read_text(encoding="utf-8").partition("## Enforced by")[2]

    files = [word for word in code(enforced) if word.startswith("tests/")]
    tests = [word for word in code(enforced) if word.startswith("test_")]
    text = "".join((repository / name).read_text(encoding="utf-8") for name in files)

    assert files
    assert [test for test in tests if f"def {test}(" not in text] == []
