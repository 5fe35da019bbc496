"""Runs a model before its first job: learns what its forwards are worth, compiles them, and weighs its jobs.

On a CPU it also learns how many cores one forward is worth.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from darkroom.catalogue import ModelCard
from darkroom.errors import DarkroomError
from darkroom.request import ImageRequest, OutputFormat, Priority
from gpu_worker.engine.call import Call
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Profile
from gpu_worker.memory.device import Peak
from gpu_worker.memory.job_memory import JobMemory, MeasuredForward
from gpu_worker.profiling.compiling import Compiled, compiling
from gpu_worker.profiling.knee_file import KneeFile
from gpu_worker.profiling.measure import keep_unequal_alone, profile_of, spread_over_cores

log = structlog.get_logger()

Compile = Callable[[], Compiled]


@dataclass(frozen=True)
class Warm:
    """What the warm-up learnt of a model's jobs."""

    job_memory: JobMemory
    jobs_in_a_forward: int
    """Of the default size, at the knee."""


def warm_up(
    card: ModelCard,
    draw: Callable[[ImageRequest], object],
    engine: Engine,
    kept: KneeFile,
    most_rows: int,
    compile_denoiser: Compile | None = None,
) -> Warm:
    """`draw` runs a lane. Without `compile_denoiser`, networks run as they are."""
    # What the default size takes of memory says what every other takes; so it comes first.
    tapped = [_calls_of(engine, draw, request) for request in warm_up_requests(card)]
    keep_unequal_alone(tapped[0], _calls_of(engine, draw, another_request(card)), engine)
    calls = {call.fit: call for calls in tapped for call in calls}
    spread_over_cores(calls.values(), engine)
    if compile_denoiser:
        _compile(card, calls.values(), engine, kept, most_rows, compile_denoiser)
    else:
        _measure(calls.values(), engine, kept, most_rows, None)
    forwards = [
        _forward_of(call, engine.knees.peak(call.fit)) for call in {call.fit: call for call in tapped[0]}.values()
    ]
    engine.weigh()
    job_memory = JobMemory(card.size.width * card.size.height, tuple(forwards))
    return Warm(job_memory, _jobs_in_a_forward(tapped[0], engine))


def _jobs_in_a_forward(calls: Iterable[Call], engine: Engine) -> int:
    """Of the network that runs at each step; several do where a ControlNet steps too, and the narrowest counts."""
    steps = [call for call in calls if call.entry.is_step]
    places = [1 if call.entry in engine.unbatchable else engine.knees.of(call.fit) // call.rows for call in steps]
    return max(1, min(places, default=1))


def _forward_of(call: Call, peak: Peak) -> MeasuredForward:
    return MeasuredForward(
        rows=call.rows,
        peak=peak,
        argument_bytes=call.arguments.sample_bytes if call.arguments else 0,
        is_step=call.entry.is_step,
        grows=call.entry.is_step or call.entry.name in {"encode", "decode"},
    )


def warm_up_requests(card: ModelCard) -> list[ImageRequest]:
    """One image of each size that is warmed up, in as few steps as the model knows."""
    return [_request(card, width, height) for width, height in [(card.size.width, card.size.height), *card.warm_sizes]]


def another_request(card: ModelCard) -> ImageRequest:
    """Of the default size, and in everything else another than the first."""
    return warm_up_requests(card)[0].model_copy(update={"prompt": "a test", "seed": 1})


def _calls_of(engine: Engine, draw: Callable[[ImageRequest], object], request: ImageRequest) -> list[Call]:
    with engine.tapped() as calls:
        draw(request)
    return calls


def _compile(
    card: ModelCard, calls: Iterable[Call], engine: Engine, kept: KneeFile, most_rows: int, compile_denoiser: Compile
) -> None:
    """A compiler that fails, or is not there, costs speed and no more."""
    compiled: Compiled | None = None
    try:
        with compiling():
            compiled = compile_denoiser()
            _measure(calls, engine, kept, most_rows, compiled)
    except DarkroomError:  # the worker stops
        raise
    except Exception as error:
        log.warning("model.not_compiled", model=card.id, error=type(error).__name__, reason=str(error)[:500])
        if compiled is not None:
            compiled.undo()
        _measure(calls, engine, kept, most_rows, None)


def _measure(calls: Iterable[Call], engine: Engine, kept: KneeFile, most_rows: int, compiled: Compiled | None) -> None:
    """Of every network that the warm-up called. With guidance, a lane brings two rows."""
    for call in calls:
        is_compiled = compiled is not None and compiled.holds(call.entry)
        profile = kept.get(call.fit, engine.forwards_at_once)
        if profile is None:
            profile = profile_of(call, most_rows, engine, compiles=is_compiled)
            kept.put(call.fit, profile, engine.forwards_at_once)
        sizes = _warm_sizes(call, profile, engine, compiled) if compiled and is_compiled else ()
        engine.knees.measured(call.fit, profile, sizes)
        log.info(
            "model.knee", network=call.entry.network, entry=call.entry.name, rows=profile.rows, compiled=len(sizes)
        )


def _warm_sizes(call: Call, profile: Profile, engine: Engine, compiled: Compiled) -> tuple[int, ...]:
    return engine.do(lambda: compiled.warm(call, profile.rows))


def _request(card: ModelCard, width: int, height: int) -> ImageRequest:
    return ImageRequest(
        model=card.id,
        prompt="warm-up",
        negative_prompt=None,
        width=width,
        height=height,
        steps=card.steps.min,
        guidance_scale=card.guidance_scale.default,
        seed=0,
        n=1,
        scheduler=card.scheduler,
        output_format=OutputFormat.PNG,
        priority=Priority.BULK,
    )
