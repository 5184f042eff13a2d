"""python -m dev.chaos: break everything, or nothing, for some minutes, then balance the books."""

from __future__ import annotations

import argparse
import signal
import sys
from random import Random
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from dev.chaos.console import progress, verdict, write_report
from dev.chaos.experiment import Act
from dev.chaos.redis_topologies import Alone, Clustered
from dev.chaos.scenarios import all_alone_then_pairs, chaos, endurance
from dev.deploy import sam
from dev.programs.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev.chaos.redis_topologies import Store

type Play = Callable[[Act, float], None]


def _chaos(act: Act, seconds: float) -> None:
    chaos(act, seconds, all_alone_then_pairs(act))


# Each act with its share of the time.
PLAYS: dict[str, list[tuple[str, Callable[[], Store], Play, float]]] = {
    "chaos": [
        ("one Valkey with a replica", Alone, _chaos, 0.65),
        ("a Valkey cluster", Clustered, _chaos, 0.35),
    ],
    "endurance": [("steady load", Alone, endurance, 1.0)],
}


def main() -> int:
    """Run the acts with live progress; return 1 on any breach."""
    arguments = _arguments()
    console = Console()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    acts: list[Act] = []
    with Live(console=console, refresh_per_second=4) as live, sam.built() as built:
        for title, make, play, share in PLAYS[arguments.play]:
            act = Act(title, make(), built, arguments.seed, arguments.rate, watch=_shower(live))
            acts.append(act)
            with act:
                play(act, arguments.minutes * 60 * share)
    for act in acts:
        console.print(progress(act))
    console.print(verdict(acts))
    path = write_report(acts, arguments.play, arguments.seed)
    broken = sum(len(wrong) for act in acts for wrong in act.breaches.values())
    console.print(
        f"{broken} breaches; report: {path.relative_to(ROOT)}; SEED={arguments.seed} repeats the run"
    )
    return 1 if broken else 0


def _shower(live: Live) -> Callable[[Act], None]:
    return lambda act: live.update(progress(act))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.chaos", description=__doc__)
    parser.add_argument("play", choices=PLAYS)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long load, kills and faults go on")
    parser.add_argument("--seed", type=int, default=Random().randrange(1_000_000))
    parser.add_argument("--rate", type=float, default=40.0, help="events per second")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
