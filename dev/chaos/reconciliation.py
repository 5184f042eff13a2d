"""The ledger of a run: what was announced, what the record says and what the bus delivered must agree.

It reads the tables itself, not through the service: a judge shares no code, and so no bug, with the judged.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dev.chaos.consumer import Heard
    from dev.chaos.workload import Plan
    from dev.servers.postgres import PostgresServer

TERMINAL = {
    "ready": "BatchEssaysReady",
    "failed": "BatchValidationErrors",
    "timed_out": "BatchReadinessTimeout",
}


@dataclass(frozen=True)
class Record:
    """What Postgres holds in the end."""

    batches: Mapping[str, dict[str, Any]]
    assigned: Mapping[str, Mapping[str, str]]  # batch id -> content -> slot
    failed: Mapping[str, Mapping[str, str | None]]  # batch id -> failure -> slot, or None for a late one
    excess: Mapping[str, frozenset[str]]
    slots: Mapping[str, Sequence[tuple[str, str]]]  # batch id -> (slot, status)
    parked: int
    outbox: int

    @classmethod
    def read(cls, postgres: PostgresServer) -> Record:
        """Read all tables."""
        essays = postgres.execute("SELECT batch_id, essay_id, status, text_storage_id FROM essays")
        failures = postgres.execute("SELECT batch_id, identity, essay_id FROM validation_failures")
        excess = postgres.execute("SELECT batch_id, text_storage_id FROM excess_contents")
        rows = postgres.execute("SELECT CAST(to_json(b) AS text) FROM batches AS b")
        [[parked]] = postgres.execute("SELECT count(*) FROM parked_arrivals")
        [[outbox]] = postgres.execute("SELECT count(*) FROM outbox")
        batches: list[dict[str, Any]] = [json.loads(str(row)) for [row] in rows]
        return cls(
            {str(batch["batch_id"]): batch for batch in batches},
            _grouped(
                (batch, content, slot) for batch, slot, status, content in essays if status == "assigned"
            ),
            _grouped(failures),
            {batch: frozenset(held) for batch, held in _grouped([*row, None] for row in excess).items()},
            {batch: list(held.items()) for batch, held in _grouped(row[:3] for row in essays).items()},
            int(str(parked)),
            int(str(outbox)),
        )


def _grouped(rows: Any) -> dict[str, dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = defaultdict(dict)
    for batch_id, name, value in rows:
        groups[batch_id][name] = value
    return groups


@dataclass
class Ledger:
    """Every question yields what it finds wrong; in balance, none yields anything."""

    plans: Sequence[Plan]
    poison: Sequence[str]
    heard: Mapping[str, Heard]
    record: Record
    left_in_queues: Mapping[str, int]
    dead: Sequence[Mapping[str, Any]]
    by_batch: dict[str, list[Heard]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for heard in self.heard.values():
            self.by_batch[heard.data["batch_id"]].append(heard)

    def breaches(self) -> dict[str, list[str]]:
        """Return what each question found."""
        questions = {
            "every arrival has exactly one outcome": self._arrivals,
            "every batch ended as it may end, and only announced ones exist": self._endings,
            "exactly one terminal event per batch, with the right kind": self._terminal_events,
            "an event that came twice said the same": self._repetitions,
            "the final result says what the record says": self._final_results,
            "no slot twice, no content in two slots, every assignment announced": self._assignments,
            "every excess content is announced exactly once": self._excess_events,
            "the registration that did not stand was rejected exactly once": self._rejections,
            "counts are the rows": self._counts,
            "nothing is left in queues, parked or outbox": self._left_over,
            "all poison and nothing else is in the dead-letter queues": self._dead_letters,
        }
        return {name: sorted(question()) for name, question in questions.items()}

    def _of(self, batch_id: str, detail_type: str) -> list[Heard]:
        return [heard for heard in self.by_batch[batch_id] if heard.detail_type == detail_type]

    def _arrivals(self) -> Iterator[str]:
        for plan in self.plans:
            batch_id = plan.batch_id
            found = Counter(f"content:{name}" for name in self.record.assigned.get(batch_id, ()))
            found.update(f"content:{name}" for name in self.record.excess.get(batch_id, ()))
            found.update(list(self.record.failed.get(batch_id, ())))
            expected = {f"content:{name}" for name in plan.contents} | set(plan.failures)
            yield from (f"{batch_id}: {name} has no outcome" for name in expected - set(found))
            yield from (f"{batch_id}: {name} was never announced" for name in set(found) - expected)
            yield from (f"{batch_id}: {name} has {n} outcomes" for name, n in found.items() if n > 1)

    def _endings(self) -> Iterator[str]:
        for plan in self.plans:
            batch = self.record.batches.get(plan.batch_id)
            if batch is None:
                yield f"{plan.batch_id}: no row"
            elif batch["status"] not in plan.may_become:
                yield f"{plan.batch_id} ({plan.kind}): {batch['status']}, not {sorted(plan.may_become)}"
        known = {plan.batch_id for plan in self.plans}
        yield from (
            f"{name}: a batch that nobody announced" for name in self.record.batches if name not in known
        )

    def _terminal_events(self) -> Iterator[str]:
        for batch_id, batch in self.record.batches.items():
            kinds = [h.detail_type for h in self.by_batch[batch_id] if h.detail_type in TERMINAL.values()]
            if kinds != [TERMINAL.get(batch["status"])]:
                yield f"{batch_id} is {batch['status']}: terminal events {kinds}"

    def _repetitions(self) -> Iterator[str]:
        return (f"{event_id}: {h.detail_type}" for event_id, h in self.heard.items() if not h.is_steady)

    def _final_results(self) -> Iterator[str]:
        for batch_id, batch in self.record.batches.items():
            assigned = {slot: content for content, slot in self.record.assigned.get(batch_id, {}).items()}
            lines = sorted(f"{slot} {content}\n" for slot, content in assigned.items())
            free = sorted(slot for slot, status in self.record.slots[batch_id] if status == "available")
            for heard in self._of(batch_id, TERMINAL.get(batch["status"], "")):
                said = {
                    essay["essay_id"]: essay["text_storage_id"]
                    for essay in heard.data.get("ready_essays", ())
                }
                if said != assigned:
                    yield f"{batch_id}: the ready list is not the record"
                if "digest" in heard.data and heard.data["digest"] != _digest(lines):
                    yield f"{batch_id}: the digest is not that of the record"
                if heard.data.get("missing_essay_ids", free) != free:
                    yield f"{batch_id}: the missing slots are not those of the record"
                if (heard.data["assigned_count"], heard.data["failed_count"]) != (
                    batch["assigned_count"],
                    batch["failed_count"],
                ):
                    yield f"{batch_id}: the counts are not those of the record"

    def _assignments(self) -> Iterator[str]:
        for batch_id in self.record.batches:
            said = [
                (one["text_storage_id"], one["essay_id"])
                for heard in self._of(batch_id, "EssaySlotsAssigned")
                for one in heard.data["assignments"]
            ]
            if Counter(said) != Counter(self.record.assigned.get(batch_id, {}).items()):
                yield f"{batch_id}: announced {sorted(said)}, the record has other"

    def _excess_events(self) -> Iterator[str]:
        for batch_id in self.record.batches:
            said = Counter(h.data["text_storage_id"] for h in self._of(batch_id, "ExcessContentProvisioned"))
            if said != Counter(self.record.excess.get(batch_id, ())):
                yield f"{batch_id}: excess announced {dict(said)}"

    def _rejections(self) -> Iterator[str]:
        for plan in self.plans:
            said = len(self._of(plan.batch_id, "BatchRegistrationRejected"))
            if said != len(plan.registrations) - 1:
                yield f"{plan.batch_id}: {said} rejections of {len(plan.registrations)} registrations"

    def _counts(self) -> Iterator[str]:
        for batch_id, batch in self.record.batches.items():
            rows = Counter(status for _, status in self.record.slots[batch_id])
            said = (batch["assigned_count"], batch["failed_count"], batch["expected_count"])
            if said != (rows["assigned"], rows["failed"], rows.total()):
                yield f"{batch_id}: counts {said}, rows {dict(rows)}"

    def _left_over(self) -> Iterator[str]:
        left = {**self.left_in_queues, "parked": self.record.parked, "outbox": self.record.outbox}
        return (f"{count} in {name}" for name, count in left.items() if count)

    def _dead_letters(self) -> Iterator[str]:
        found: set[str] = set()
        for letter in self.dead:
            marks = [mark for mark in self.poison if mark in letter["Body"]]
            found.update(marks)
            if not marks:
                yield f"a good message is dead: {letter['Body'][:200]}"
            elif "error_code" not in letter.get("MessageAttributes", {}):
                yield f"{marks} came without its reason"
        yield from (f"{mark} is lost" for mark in self.poison if mark not in found)


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("".join(lines).encode()).hexdigest()
