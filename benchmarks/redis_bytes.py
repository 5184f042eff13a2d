"""What a batch costs in Redis and in Postgres, from its registration to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.bench import Effort
from benchmarks.plots.charts import Bars
from benchmarks.report import Goal, Section, Table
from benchmarks.workload import Workload, WorkloadSize
from els_core.adapters.redis import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.bench import Bench
    from els_core.domain.arrivals import Arrival

SLOTS = {Effort.FULL: 2_000, Effort.QUICK: 500, Effort.SMOKE: 50}
TABLES = "('batches', 'essays', 'batch_epochs', 'validation_failures', 'excess_contents')"
POSTGRES_BYTES = f"""
SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relname IN {TABLES}
"""  # noqa: S608 - a constant
NOTE = (
    "Essay ids are UUIDs, contents have ids and names of the usual length. MEMORY USAGE of each key, all "
    "elements counted. Every key expires with the retention after the deadline, then nothing is left."
)


def measure(bench: Bench) -> Section:
    """Weigh one batch when its slots are free, half used, used but one, and closed."""
    slots = SLOTS[bench.effort]
    workload = Workload.generate(WorkloadSize(1, slots))
    bench.say(f"a batch of {slots:,} slots")
    bench.servers.reset(workload)
    distinct = list(dict.fromkeys(workload.arrivals))[:slots]
    batch_id = workload.registrations[0].batch_id
    states = {"all slots free": _weigh(bench, batch_id)}
    for name, part in (
        ("half of them used", distinct[: slots // 2]),
        ("all used but one", distinct[slots // 2 : -1]),
        ("closed", distinct[-1:]),
    ):
        _provision(bench, part)
        states[name] = _weigh(bench, batch_id)
    rows = [(name, sum(weights.values()), sum(weights.values()) / slots) for name, weights in states.items()]
    without_expiry = _without_expiry(bench)
    rows.append(("keys that never expire", without_expiry, 0))
    [[postgres]] = bench.servers.postgres.execute(POSTGRES_BYTES)
    rows.append(("in Postgres, with its indexes", int(str(postgres)), int(str(postgres)) / slots))
    per_slot = {
        name: {key: size / slots for key, size in weights.items()} for name, weights in states.items()
    }
    return Section(
        "redis",
        [Table(f"A batch of {slots:,} slots", ("when", "bytes", "bytes per slot"), rows, NOTE)],
        [Bars("redis", "Bytes per slot in Redis", "B", per_slot)],
        [
            Goal("bytes of a free slot in Redis", None, 100, rows[0][2]),
            Goal("bytes of a slot with content in Redis", None, 350, rows[2][2]),
            Goal("keys that stay after the retention", None, 0, without_expiry),
        ],
    )


def _provision(bench: Bench, arrivals: Sequence[Arrival]) -> None:
    size = 500
    parts = [arrivals[start : start + size] for start in range(0, len(arrivals), size)]
    bench.handler.prepare(parts)()


def _weigh(bench: Bench, batch_id: str) -> dict[str, int]:
    """Return the bytes of each key of a batch."""
    with bench.servers.valkey.client() as client:
        found: Any = {name: client.memory_usage(keys.key(batch_id, name), samples=0) for name in keys.ALL}
    return {name: int(size) for name, size in found.items() if size}


def _without_expiry(bench: Bench) -> int:
    with bench.servers.valkey.client() as client:
        names: Any = client.keys("*")
        return sum(client.ttl(name) == -1 for name in names)
