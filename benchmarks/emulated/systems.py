"""The systems on one emulated device: each as its documentation advises, and each tuned as well as we can."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.batching.systems import OURS, SYSTEMS, Plan, System, even_chances
from benchmarks.side import Side, queue_side

# Requests that a tuned server may collect, in best batches: those with equal step counts come together more often.
WIDE = 4


@dataclass(frozen=True)
class EmulatedPlan(Plan):
    """Tiny tensors are computed fastest on one core; the others are for whatever stands around them."""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), **even_chances(threads=1)}


@contextmanager
def darkroom(plan: Plan, folder: Path) -> Iterator[Side]:
    """As `make up` starts it, but for the module that Celery imports: see worker.py."""
    model = plan.subject.card.id
    settings = {
        "DARKROOM_CATALOGUE": str(plan.subject.catalogue),
        "DARKROOM_DEFAULT_MODEL": model,
        "DARKROOM_GPU_MODELS": model,
        "DARKROOM_DEVICE": "cpu",
    }
    environment = {**plan.environment(), **settings}
    with queue_side(folder, [model], environment, gpu_app="benchmarks.emulated.worker") as side:
        yield side


def _with(name: str, title: str, change: Callable[[Plan], Plan]) -> System:
    system = SYSTEMS[name]

    def start(plan: Plan, folder: Path) -> AbstractContextManager[Side]:
        return system.start(change(plan), folder)

    return System(f"{system.title}, {title}", start, system.client)


def _wide(plan: Plan) -> Plan:
    return replace(plan, assignment=replace(plan.assignment, window=WIDE * plan.assignment.batch))


def _two_workers(plan: Plan) -> Plan:
    """One prepares and encodes while the other has the device."""
    return replace(plan, assignment=replace(plan.assignment, workers=2))


EMULATED: Mapping[str, System] = {
    **{name: SYSTEMS[name] for name in ("celery", "litserve", "ray", "bentoml")},
    "celery-tuned": _with("celery", "two workers", _two_workers),
    "litserve-tuned": _with("litserve", f"a window of {WIDE} batches", _wide),
    "ray-tuned": _with("ray", f"a window of {WIDE} batches", _wide),
    "bentoml-tuned": _with("bentoml", f"a window of {WIDE} batches", _wide),
    OURS: System(SYSTEMS[OURS].title, darkroom, SYSTEMS[OURS].client),
}
