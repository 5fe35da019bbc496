"""The parts that must not fail, and the tests that concern each: narrow, the quick ones first."""

import subprocess
from pathlib import Path

from tests.mutants.fault import Fault
from tests.mutants.lua_faults import lua_faults
from tests.mutants.python_faults import python_faults

ROOT = Path(__file__).resolve().parent.parent.parent
Tests = tuple[str, ...]

STORE: Tests = (
    "tests/darkroom/job_store/test_bounds.py",
    "tests/darkroom/job_store/test_store.py",
    "tests/darkroom/job_store/test_withdrawal.py",
    "tests/darkroom/job_store/test_dead_letters.py",
    "tests/darkroom/job_store/test_poison_jobs.py",
    "tests/darkroom/job_store/test_previews.py",
    "tests/darkroom/job_store/test_events.py",
    "tests/darkroom/estimates",
    "tests/cpu_worker/test_housekeeping.py",
    "tests/cpu_worker/test_unused_inputs.py",
    "tests/darkroom/job_store",
)
ENGINE: Tests = (
    "tests/gpu_worker/engine/test_policy.py",
    "tests/gpu_worker/engine/test_in_flight.py",
    "tests/gpu_worker/engine/test_engine.py",
    "tests/gpu_worker/engine/test_engine_end.py",
    "tests/gpu_worker/engine/test_engine_failures.py",
    "tests/gpu_worker/engine/test_forwards_at_once.py",
    "tests/gpu_worker/engine/test_random_mixes.py",
)
API: Tests = (
    "tests/api/door",
    "tests/api/test_jobs.py",
    "tests/api/test_bad_bodies.py",
    "tests/api/test_start.py",
)

# A folder or a file, and the tests that are run for a fault in it; the longest name that fits counts.
TESTS_OF: dict[str, Tests] = {
    "darkroom/job_store": STORE,
    "darkroom/messages": ("tests/brokers/test_celery_app.py",),
    "darkroom/api_keys.py": API,
    "api/keys.py": API,
    "api/door": API,
    "gpu_worker/jobs": (
        "tests/gpu_worker/test_generate.py",
        "tests/gpu_worker/test_kept_lane.py",
        "tests/gpu_worker/jobs",
        "tests/gpu_worker/step_reuse/test_lane.py",
    ),
    "gpu_worker/delivery": ("tests/gpu_worker/delivery",),
    "gpu_worker/engine/policy.py": ENGINE,
    "gpu_worker/engine/scheduler.py": ENGINE,
    "cpu_worker": ("tests/cpu_worker", "tests/brokers/test_refusals.py"),
    "storage/keys.py": ("tests/storage/test_keys.py",),
    "storage/links.py": ("tests/storage/test_links.py", "tests/api/test_files.py"),
}


def concerning(path: str) -> Tests:
    """The file's own tests first, where it has any."""
    own = Path("tests") / Path(path).parent / f"test_{Path(path).stem}.py"
    return (str(own), *whole_set(path)) if (ROOT / own).is_file() else whole_set(path)


def whole_set(path: str) -> Tests:
    return TESTS_OF[max((name for name in TESTS_OF if path == name or path.startswith(f"{name}/")), key=len)]


def all_faults(root: Path) -> list[Fault]:
    listed = subprocess.run(["git", "ls-files", *TESTS_OF], cwd=root, capture_output=True, check=True, text=True)
    return [fault for path in listed.stdout.split() for fault in _faults(path, (root / path).read_text("utf-8"))]


def _faults(path: str, text: str) -> list[Fault]:
    return (lua_faults if path.endswith(".lua") else python_faults)(path, text)
