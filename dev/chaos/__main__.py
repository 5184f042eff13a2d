"""python -m dev.chaos: kill, break and mend for some minutes, then balance the books."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from random import Random
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from dev import sam
from dev.chaos.faults import Fault, Record
from dev.chaos.run import Act
from dev.chaos.showing import figures, progress, verdict
from dev.chaos.stores import Alone, Clustered
from dev.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from dev.chaos.stores import Store

REPORTS = ROOT / ".local" / "chaos"
SHARE_ALONE = 0.65  # of the time; the rest goes to the cluster
BREATH_SECONDS = 2.0  # between two faults


def play(act: Act, seconds: float) -> None:
    """Let every fault happen alone, then pairs of them, until the time is over; then balance the books."""
    with act:
        end = monotonic() + seconds
        act.begin()
        act.last(BREATH_SECONDS, "load and kills")
        for faults in _misfortunes(act):
            if monotonic() > end:
                break
            act.suffer(faults)
            act.last(BREATH_SECONDS, "load and kills")
        act.settle()
        act.balance()


def _misfortunes(act: Act) -> Iterator[Sequence[Fault]]:
    """Yield every fault alone, then pairs of one of each server, for ever; in an order of the seed."""
    store, record = list(act.store.faults()), list(Record(act.world.postgres).faults())
    alone = [*store, *record]
    act.random.shuffle(alone)
    yield from ([fault] for fault in alone)
    while True:
        yield [act.random.choice(store), act.random.choice(record)]


def main() -> int:
    """Run the acts with live progress; return 1 on any breach."""
    arguments = _arguments()
    console = Console()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sam.build()
    acts: list[Act] = []
    shares: list[tuple[str, Callable[[], Store], float]] = [
        ("one Valkey with a replica", Alone, SHARE_ALONE),
        ("a Valkey cluster", Clustered, 1 - SHARE_ALONE),
    ]
    with Live(console=console, refresh_per_second=4) as live:
        for title, make, share in shares:
            act = Act(title, make(), arguments.seed, arguments.rate, watch=_shower(live))
            acts.append(act)
            play(act, arguments.minutes * 60 * share)
    console.print(verdict(acts))
    for act in acts:
        console.print(progress(act))
    path = _report(acts, arguments.seed)
    broken = sum(len(wrong) for act in acts for wrong in act.breaches.values())
    console.print(
        f"{broken} breaches; the report is in {path.relative_to(ROOT)}; SEED={arguments.seed} repeats it"
    )
    return 1 if broken else 0


def _shower(live: Live) -> Callable[[Act], None]:
    return lambda act: live.update(progress(act))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long faults and kills go on")
    parser.add_argument("--seed", type=int, default=Random().randrange(1_000_000))
    parser.add_argument("--rate", type=float, default=40.0, help="events per second")
    return parser.parse_args()


def _report(acts: Sequence[Act], seed: int) -> Path:
    REPORTS.mkdir(parents=True, exist_ok=True)
    path = REPORTS / f"report-{seed}.json"
    told = [
        {"act": act.title, **figures(act), "faults": act.faults, "breaches": act.breaches} for act in acts
    ]
    path.write_text(json.dumps({"seed": seed, "acts": told}, indent=1, default=str))
    return path


if __name__ == "__main__":
    sys.exit(main())
