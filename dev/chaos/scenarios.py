"""What is played: chaos, where everything breaks, and endurance, where nothing does."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from dev.chaos.faults import FROZEN_SECONDS, Fault, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dev.chaos.experiment import Act

BREATH_SECONDS = 2.0  # between two faults


def chaos(act: Act, seconds: float, misfortunes: Iterable[Sequence[Fault]]) -> None:
    """Let one misfortune after the other happen under load and kills, then balance the books."""
    end = monotonic() + seconds
    act.begin()
    act.last(BREATH_SECONDS, "load and kills")
    for faults in misfortunes:
        if monotonic() > end:
            break
        act.suffer(faults)
        act.last(BREATH_SECONDS, "load and kills")
    act.settle()
    act.balance()


def endurance(act: Act, seconds: float) -> None:
    """Keep up a steady load without any fault, then balance the books; all succeeds and memory is flat."""
    act.begin(with_kills=False)
    act.last(seconds, "steady load")
    memory = act.memory.breaches()
    act.settle()
    act.balance()
    failed = {name: count for name, count in act.fleet.invocations.items() if name != "answered" and count}
    act.breaches["every invocation succeeds, and no record comes back"] = [
        f"{count} {name}: {act.fleet.last_error}" for name, count in failed.items()
    ]
    act.breaches["the memory of every instance is flat"] = memory


def all_alone_then_pairs(act: Act) -> Iterator[Sequence[Fault]]:
    """Yield every fault alone, then pairs of two servers, for ever; in an order of the seed."""
    aws = act.world.aws
    servers = [
        act.store.faults(),
        Record(act.world.postgres).faults(),
        [Fault("AWS: queues and buses frozen", aws.freeze, aws.thaw, FROZEN_SECONDS)],
    ]
    alone = [fault for faults in servers for fault in faults]
    act.random.shuffle(alone)
    yield from ([fault] for fault in alone)
    while True:
        yield [act.random.choice(faults) for faults in act.random.sample(servers, 2)]
