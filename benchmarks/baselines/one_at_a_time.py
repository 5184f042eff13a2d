"""Baseline: one message at a time, each with a call of Redis, a transaction and a PutEvents of its own.

What a team writes first, with the statements of baseline (b), which are leaner than such code usually is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.baselines.redis_and_postgres import RedisAndPostgres

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.domain.arrivals import Arrival


class OneAtATime(RedisAndPostgres):
    """Assigns slots durably, one arrival after the other."""

    def assign(self, arrivals: Sequence[Arrival]) -> None:
        """Assign each arrival of an SQS batch by itself."""
        for arrival in arrivals:
            super().assign([arrival])
