"""The scenarios: chaos, in which everything breaks, and endurance, in which nothing does."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from dev.chaos.faults import FROZEN_SECONDS, Fault, PostgresFaults
from dev.chaos.reconciliation import CheckResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dev.chaos.experiment import Experiment

RECOVERY_SECONDS = 2.0  # between two faults


def chaos(experiment: Experiment, seconds: float, schedule: Iterable[Sequence[Fault]]) -> None:
    """Inject the faults of the schedule one after the other, under load and kills; then reconcile."""
    end = monotonic() + seconds
    experiment.start()
    experiment.run_for(RECOVERY_SECONDS, "load and kills")
    for faults in schedule:
        if monotonic() > end:
            break
        experiment.inject(faults)
        experiment.run_for(RECOVERY_SECONDS, "load and kills")
    experiment.drain()
    experiment.reconcile()


def endurance(experiment: Experiment, seconds: float) -> None:
    """Keep up a steady load without faults, then reconcile; all must succeed, and memory must be flat."""
    experiment.start(with_kills=False)
    experiment.run_for(seconds, "steady load")
    leaks = experiment.leak_check.leaks()
    experiment.drain()
    experiment.reconcile()
    fleet = experiment.fleet
    failed = [
        f"{count} {name}, the last error: {fleet.last_error}"
        for name, count in fleet.invocations.items()
        if name != "succeeded" and count
    ]
    experiment.results += [
        CheckResult((11,), "every invocation succeeds, and no message is retried", failed),
        CheckResult((), "the memory of every instance is flat", leaks),
    ]


def fault_schedule(experiment: Experiment) -> Iterator[Sequence[Fault]]:
    """Yield every fault alone, then pairs of faults of two servers without end, in an order of the seed."""
    aws = experiment.environment.aws
    servers = [
        experiment.redis.faults(),
        PostgresFaults(experiment.environment.postgres).faults(),
        [Fault("AWS: queues and buses frozen", aws.freeze, aws.thaw, FROZEN_SECONDS)],
    ]
    alone = [fault for faults in servers for fault in faults]
    experiment.random.shuffle(alone)
    yield from ([fault] for fault in alone)
    while True:
        yield [experiment.random.choice(faults) for faults in experiment.random.sample(servers, 2)]
