"""Compares the service with the least code that does the same work, in the same run on the same servers.

Timed: from the call with an SQS batch of arrivals to its return, when all is committed and published. The
handler gets SQS events; the baselines get arrivals that are parsed already.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryFile

from rich.console import Console

from benchmarks.baselines.redis_and_postgres import RedisAndPostgres
from benchmarks.baselines.redis_only import RedisOnly
from benchmarks.baselines.together import Together
from benchmarks.candidates.handler import Handler
from benchmarks.harness import (
    HANDLER,
    REDIS_AND_POSTGRES,
    REDIS_ONLY,
    TOGETHER,
    BenchmarkCase,
    BenchmarkResult,
    Implementation,
    measure,
)
from benchmarks.report import rates_table, save, shares_table
from benchmarks.servers import BUS, Servers
from benchmarks.workload import WorkloadSize
from dev.programs.process import exit_on_sigterm

# An arrival costs more in a smaller SQS batch, so smaller SQS batches get smaller workloads.
QUICK = [
    BenchmarkCase(WorkloadSize(4, 50), 1, 5),
    BenchmarkCase(WorkloadSize(20, 50), 10, 5),
    BenchmarkCase(WorkloadSize(50, 50), 100, 5),
    BenchmarkCase(WorkloadSize(50, 50), 1_000, 5),
]
SIZES = (WorkloadSize(200, 50), WorkloadSize(50, 200), WorkloadSize(1, 2_000))
FULL = [BenchmarkCase(size, sqs_batch, 7) for size in SIZES for sqs_batch in (10, 100, 1_000)]
FULL += [BenchmarkCase(WorkloadSize(20, 50), 1, 7)]


def run(cases: list[BenchmarkCase], console: Console) -> list[BenchmarkResult]:
    """Start the servers, measure all cases and stop the servers."""
    results = []
    with Servers() as servers, TemporaryFile("w") as log:
        handler = Handler(log)
        redis_only = RedisOnly(servers.valkey.url)
        redis_and_postgres = RedisAndPostgres(redis_only, servers.postgres.url, BUS)
        together = Together(redis_only, servers.postgres.url, BUS)
        implementations: dict[str, Implementation] = {
            HANDLER: handler,
            REDIS_ONLY: redis_only,
            REDIS_AND_POSTGRES: redis_and_postgres,
            TOGETHER: together,
        }
        for number, case in enumerate(cases, 1):
            work = f"{case.size} slots in SQS batches of {case.sqs_batch_size:,}, {case.rounds} rounds"
            console.print(f"{number} of {len(cases)}: {work} …", highlight=False)
            results.append(measure(case, implementations, servers))
        for implementation in (handler, together, redis_and_postgres, redis_only):
            implementation.close()
    return results


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small workloads, about two minutes")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/handler.json"))
    arguments = parser.parse_args()
    console = Console()
    if arguments.quick:
        console.print("small workloads: this takes about two minutes on two free cores", highlight=False)
    results = run(QUICK if arguments.quick else FULL, console)
    console.print(rates_table(results))
    console.print(shares_table(results))
    save(results, arguments.out)
    console.print(f"the results are in {arguments.out}", highlight=False)


if __name__ == "__main__":
    exit_on_sigterm()
    main()
