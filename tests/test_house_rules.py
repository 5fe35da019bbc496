"""Rules of this house that a program can check. A rule that was broken twice gets a test here."""

import ast
import graphlib
import re
import subprocess
import sys
from collections import Counter
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
    "arq": frozenset({"darkroom", "gpu_worker", "cpu_worker"}),
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
ENTRY_POINTS = {
    "celery": frozenset({"gpu_worker/app.py", "cpu_worker/app.py"}),
    "arq": frozenset({"gpu_worker/arq_app.py", "cpu_worker/arq_app.py"}),
}


# Rooms inside a package, by floor from the top: a room uses what stands on lower floors, nothing beside it or above.
# What no floor names is the ground floor, the nouns that all share. `local` is without `local.demo`, which has a room.
FLOORS: dict[str, tuple[tuple[str, ...], ...]] = {
    "api": (("__main__",), ("application",), ("routes", "openai"), ("page", "operations", "admission")),
    "darkroom": (
        ("app", "__main__"),
        ("commands",),
        ("local.demo",),
        ("local",),
        ("local.processes",),
        ("messages", "job_store"),
        ("estimates", "fetching"),
    ),
    "gpu_worker": (
        ("app", "arq_app"),
        ("life",),
        ("generate", "drain", "shared_pipeline"),
        ("node",),
        ("delivery", "profiling"),
        ("jobs",),
        ("step_reuse", "previews"),
        ("engine",),
        ("memory",),
    ),
    "models": (("minilab",), ("previews",)),
    "benchmarks": (
        ("estimates", "emulated", "gpu"),
        ("batching", "policy", "step_reuse", "why_a_queue", "waiting_job", "peers"),
    ),
}
# Files of one level that one can take in; an engine is one thing and has more, as the store and its scripts have.
MOST_FILES = 14
MOST_FILES_OF = {"gpu_worker/engine": 16, "darkroom/job_store": 16, "darkroom/job_store/lua": 18}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, check=True, text=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def imports(path: Path) -> Iterator[str]:
    """What a file imports, wherever in it: also inside functions, and for types alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # `from darkroom.job_store import keys` imports a module, `from darkroom.jobs import Job` only its own.
            yield from (sub if file_of(sub := f"{node.module}.{name.name}") else node.module for name in node.names)


def packages(path: Path) -> set[str]:
    return {module.partition(".")[0] for module in imports(path)}


def file_of(module: str) -> Path | None:
    path = ROOT / module.replace(".", "/")
    return next((there for there in (path.with_suffix(".py"), path / "__init__.py") if there.is_file()), None)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def floor_of(module: str) -> tuple[int, str]:
    """The floor, counted from the top, and the room: the longest name in the table that leads to this module."""
    package, _, rest = module.partition(".")
    floors = FLOORS[package]
    rooms = [(room, floor) for floor, rooms in enumerate(floors) for room in rooms if f"{rest}.".startswith(f"{room}.")]
    room, floor = max(rooms, key=lambda pair: len(pair[0]), default=("", len(floors)))
    return floor, room


@pytest.mark.parametrize("package", sorted(FLOORS))
def test_each_room_uses_only_those_below_it(package: str) -> None:
    arrows = [
        (module_of(path), imported)
        for path in sources(package)
        for imported in imports(path)
        if imported.startswith(f"{package}.")
    ]

    wrong = [
        f"{module} imports {imported}"
        for module, imported in arrows
        if (above := floor_of(module)) != (below := floor_of(imported)) and above[0] >= below[0]
    ]

    assert wrong == []


def test_every_room_of_the_table_is_there() -> None:
    rooms = [f"{package}/{room.replace('.', '/')}" for package in FLOORS for floor in FLOORS[package] for room in floor]

    assert [room for room in rooms if not (ROOT / room).is_dir() and not (ROOT / f"{room}.py").is_file()] == []


def test_no_two_files_import_each_other() -> None:
    """Nor do several in a circle."""
    files = [path for package in sorted(OURS | {"benchmarks"}) for path in sources(package)]
    graph = {path: {other for name in imports(path) if (other := file_of(name))} - {path} for path in files}

    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(map(module_of, error.args[1])))


def test_no_folder_holds_more_files_than_one_can_take_in() -> None:
    files = tracked(*(f"{package}/*.{ending}" for package in OURS | {"benchmarks"} for ending in ("py", "lua")))
    sizes = Counter(str(path.parent.relative_to(ROOT)) for path in files if path.name != "__init__.py")

    assert {name: size for name, size in sizes.items() if size > MOST_FILES_OF.get(name, MOST_FILES)} == {}


@pytest.mark.parametrize("package", sorted(OURS))
def test_imports_point_one_way(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}

    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(package)
        for name in packages(path)
        if name in OURS - allowed
    ]

    assert wrong == []


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_a_library_stays_with_its_owner(library: str) -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for package in sorted(OURS - OWNERS[library])
        for path in sources(package)
        if library in packages(path)
    ]

    assert wrong == []


@pytest.mark.parametrize("library", sorted(ENTRY_POINTS))
def test_outside_the_kernel_only_entry_points_know_what_carries_messages(library: str) -> None:
    knowing = {
        str(path.relative_to(ROOT))
        for package in OURS - {"darkroom"}
        for path in sources(package)
        if library in packages(path)
    }

    assert knowing == ENTRY_POINTS[library]


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
        ("api.application, cpu_worker.duties, gpu_worker.life, gpu_worker.generate", {"arq", "celery", "kombu"}),
        ("cpu_worker.duties", {"torch", "diffusers", "transformers", "fastapi"}),
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

    files = tracked("*.py", "*.lua")
    spelling = {str(path.relative_to(ROOT)) for path in files if spelled.search(path.read_text(encoding="utf-8"))}

    assert spelling == {"darkroom/job_store/keys.py", "tests/darkroom/job_store/test_keys.py"}


def test_no_path_of_a_developer_s_machine_is_committed() -> None:
    traces = (str(ROOT).encode() + b"/", str(Path.home()).encode() + b"/")

    found = [
        str(path)
        for path in tracked()
        if path.suffix != ".safetensors" and any(trace in path.read_bytes() for trace in traces)
    ]

    assert found == []
