"""`make fuzz MINUTES=n`: bodies of ever new seeds until the time is over; the first finding ends it."""

from __future__ import annotations

import argparse
import sys
from itertools import count
from time import monotonic

from tests.fuzz.judge import findings

REPORT_EVERY = 20_000


def main() -> int:
    """Return 1 as soon as a body is treated wrongly, 0 when none was."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--first", type=int, default=1)
    chosen = parser.parse_args()
    end = monotonic() + 60 * chosen.minutes
    seed = chosen.first
    for seed in count(chosen.first):
        for finding in findings(seed):
            _say(finding)
            return 1
        if seed % REPORT_EVERY == 0:
            _say(f"seeds {chosen.first} to {seed}: nothing found")
        if monotonic() > end:
            break
    _say(f"seeds {chosen.first} to {seed}: nothing found")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
