"""Rules of this house that a program can check. A rule that was broken twice gets a test here."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom.job_store import keys

ROOT = Path(__file__).resolve().parent.parent

OURS = frozenset({"api", "cpu_worker", "darkroom", "gpu_worker", "models", "storage"})

# Which of our packages each may import: the table of the design.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "darkroom": frozenset(),
    "models": frozenset({"darkroom"}),
    "storage": frozenset({"darkroom"}),
    "api": frozenset({"darkroom", "storage"}),
    "gpu_worker": frozenset({"darkroom", "models", "storage"}),
    "cpu_worker": frozenset({"darkroom", "storage"}),
}

# Libraries that one package owns. A worker's entry point speaks Celery's words, so it is named here too.
OWNERS: dict[str, frozenset[str]] = {
    "celery": frozenset({"darkroom", "gpu_worker", "cpu_worker"}),
    "kombu": frozenset({"darkroom"}),
    "redis": frozenset({"darkroom"}),
    "pydantic_settings": frozenset({"darkroom"}),
    "boto3": frozenset({"storage"}),
    "botocore": frozenset({"storage"}),
    "fastapi": frozenset({"api"}),
    "starlette": frozenset({"api"}),
    "uvicorn": frozenset({"api"}),
    "diffusers": frozenset({"models", "gpu_worker"}),
    "transformers": frozenset({"models"}),
    "torch": frozenset({"models", "gpu_worker"}),
}
ENTRY_POINTS = frozenset({"gpu_worker/app.py", "cpu_worker/app.py"})


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """The top-level package of each import in a file, and whether it is there for types alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name.partition(".")[0], id(node) in typing_only
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0], id(node) in typing_only


@pytest.mark.parametrize("package", sorted(OURS))
def test_imports_point_one_way(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}

    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(package)
        for name, _ in imports(path)
        if name in OURS - allowed
    ]

    assert wrong == []


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_a_library_stays_with_its_owner(library: str) -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for package in sorted(OURS - OWNERS[library])
        for path in sources(package)
        for name, _ in imports(path)
        if name == library
    ]

    assert wrong == []


def test_outside_the_kernel_only_entry_points_know_celery() -> None:
    knowing = {
        str(path.relative_to(ROOT))
        for package in OURS - {"darkroom"}
        for path in sources(package)
        for name, _ in imports(path)
        if name == "celery"
    }

    assert knowing == ENTRY_POINTS


def test_every_module_says_what_it_does() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for package in sorted(OURS)
        for path in sources(package)
        if path.read_text(encoding="utf-8").strip() and ast.get_docstring(ast.parse(path.read_text())) is None
    ]

    assert silent == []


def test_no_file_holds_two_nouns() -> None:
    """A file over 300 lines does."""
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for package in sorted(OURS)
        for path in sources(package)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 300
    ]

    assert long == []


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("api.__main__", {"torch", "diffusers", "transformers", "boto3", "PIL"}),
        ("cpu_worker.app", {"torch", "diffusers", "transformers", "fastapi"}),
        ("darkroom.commands.cli", {"torch", "fastapi", "celery", "redis", "boto3"}),
    ],
)
def test_light_processes_stay_light(module: str, heavy: set[str], tmp_path: Path) -> None:
    code = f"import sys, {module}; print(*sorted({heavy!r} & sys.modules.keys()))"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60
    )

    assert loaded.stdout.split() == []


def test_keys_of_redis_are_spelled_in_one_file() -> None:
    names = "|".join(key.name for key in keys.ALL)
    spelled = re.compile(rf"(?<!urn:)darkroom:(\{{|({names})\b)")
    tracked = subprocess.run(["git", "ls-files", "*.py", "*.lua"], cwd=ROOT, capture_output=True, check=True, text=True)

    spelling = {name for name in tracked.stdout.split() if spelled.search((ROOT / name).read_text(encoding="utf-8"))}

    assert spelling == {"darkroom/job_store/keys.py", "tests/darkroom/job_store/test_keys.py"}


def test_no_path_of_a_developer_s_machine_is_committed() -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    traces = (str(ROOT).encode() + b"/", str(Path.home()).encode() + b"/")

    found = [
        name.decode()
        for name in tracked
        if name and not name.endswith(b".safetensors")
        if any(trace in (ROOT / name.decode()).read_bytes() for trace in traces)
    ]

    assert found == []
