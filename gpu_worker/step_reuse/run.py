"""Step reuse in one run of a lane: some of the denoiser's calls are answered from memory, and never filed.

So it works beside whatever else is in the batch: to the engine, a lane that reuses a step is one that comes back later.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from gpu_worker.engine.call import Entry
from gpu_worker.engine.calls.arguments import NotBatchable, bind
from gpu_worker.engine.calls.families import LISTS_OF_SAMPLES, POSITIONS
from gpu_worker.step_reuse.forecast import RememberedCall, Samples
from gpu_worker.step_reuse.policy import Level, ReusePolicy
from models.previews.clean_rule import CleanRule, clean_rules
from models.transfer import Landing, snapshot


class StepReuse:
    """Made anew for each run, and told at the end of each of its steps."""

    def __init__(self, level: Level, pipeline: Any) -> None:
        self._level = level
        self._pipeline = pipeline
        self._policy: ReusePolicy | None = None  # from the first call on, as its scheduler's timesteps
        self._rules: Sequence[CleanRule] = ()
        self._step = 0
        self._weight = 1.0  # of this step
        self._calls: dict[tuple[Entry, int], RememberedCall] = {}
        self._called = 0  # in this step
        self._errors: list[Landing] = []  # of forecasts, in the last computed step
        self._late: list[Landing] = []  # in the one before
        self._late_weight = 1.0
        self.reused = 0
        """Steps."""

    def step_done(self) -> None:
        self._step += 1
        self._called = 0

    def answer(self, entry: Entry, args: Sequence[Any], kwargs: Mapping[str, Any], compute: Callable[[], Any]) -> Any:
        """What the network says, which `compute` asks, or what it would say."""
        if self._called == 0:
            self._begin_step(entry.network)
        # Guidance may call twice a step: the second call of a step is remembered apart from the first.
        call = self._calls.setdefault((entry, self._called), RememberedCall())
        self._called += 1
        samples = _samples(entry, args, kwargs)
        if not samples or self._step >= len(self._rules):
            return compute()
        rule = self._rules[self._step]
        if self._weight == 0 and (answer := call.recall(self._step, rule, samples)) is not None:
            self.reused += self._called == 1
            return answer
        output, error = call.learn(self._step, rule, samples, compute(), self._weight or 1.0)
        if error is not None:
            self._errors.append(snapshot(error))
        return output

    def _begin_step(self, network: str) -> None:
        if self._policy is None:
            timesteps = self._pipeline.scheduler.timesteps.tolist()
            # Pipelines that start from a picture leave the first ones out.
            timesteps = timesteps[-self._pipeline.num_timesteps :]
            self._rules = clean_rules(self._pipeline.scheduler, timesteps, network) or ()
            self._policy = ReusePolicy(self._level, len(timesteps))
        if self._errors:
            self._learn_late(self._policy)
        self._weight = self._policy.weight(self._step)

    def _learn_late(self, policy: ReusePolicy) -> None:
        """Of the computed step before the last. On the CPU too, so that a job's steps are the same on every device."""
        if self._late:
            policy.told(max(float(error.wait()) for error in self._late), self._late_weight)
        policy.computed(self._weight)
        self._late, self._late_weight, self._errors = self._errors, self._weight, []


def _samples(entry: Entry, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Samples:
    """The network's first argument with a batch dimension; empty for a call that makes no sense of itself."""
    try:
        bound = bind(entry.signature, args, kwargs)
    except (TypeError, NotBatchable):
        return ()
    for name, value in bound.items():
        if name in LISTS_OF_SAMPLES and isinstance(value, list):
            return value
        if isinstance(value, torch.Tensor) and value.ndim > 0 and name not in POSITIONS:
            return (value,)
    return ()
