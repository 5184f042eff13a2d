"""The judge of final results: each ended epoch has exactly one, and it tells what Postgres holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dev.invariants.derivations import TERMINAL_EVENTS, digest, event_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dev.invariants.evidence import BatchEvidence, Evidence


def leaves_open_once(evidence: Evidence, batch: BatchEvidence) -> Iterator[str]:
    """Yield final results that do not fit the status, or that are of an epoch that has not ended."""
    row = batch.batch
    types = {one.detail_type for one in evidence.final_results(batch.batch_id, row.epoch)}
    if types - {TERMINAL_EVENTS.get(row.status)}:
        yield f"it is {row.status} and announced {sorted(types)}"
    epochs = {evidence.epoch_of(one) for one in evidence.terminal_events(batch.batch_id)}
    if epochs - set(range(1, row.epoch + 1)):
        yield f"it is in epoch {row.epoch} and announced the epochs {sorted(epochs)}"


def final_result(evidence: Evidence, batch: BatchEvidence) -> Iterator[str]:
    """Yield epochs without exactly one final result, and what a result has wrong."""
    row = batch.batch
    previous = None
    for epoch in range(1, row.epoch + 1):
        is_current = epoch == row.epoch
        if is_current and row.status not in TERMINAL_EVENTS:
            return
        results = evidence.final_results(batch.batch_id, epoch)
        if len(results) != 1:
            told = f"it is {row.status}" if is_current else f"it has left epoch {epoch}"
            yield f"{told} with {len(results)} different terminal events"
            return
        data = json.loads(results[0].detail)["data"]
        later = (str(epoch),) if epoch > 1 else ()
        if results[0].event_id != event_id(batch.batch_id, results[0].detail_type, *later):
            yield f"its terminal event has the id {results[0].event_id}"
        if data.get("previous_event_id") != previous:
            yield f"its terminal event of epoch {epoch} follows {data.get('previous_event_id')}"
        if is_current:
            yield from _data(batch, data)
        previous = str(results[0].event_id)


def _data(batch: BatchEvidence, data: Mapping[str, Any]) -> Iterator[str]:
    row = batch.batch
    counts = (data["expected_count"], data["assigned_count"], data["failed_count"])
    if counts != (row.expected_count, row.assigned_count, row.failed_count):
        yield f"its terminal event counts {counts}"
    if "digest" in data and data["digest"] != digest(batch.assignments):
        yield "the digest of its terminal event does not match Postgres"
    ready = [(essay["essay_id"], essay["text_storage_id"]) for essay in data.get("ready_essays", [])]
    if "ready_essays" in data and not data["lists_omitted"] and ready != batch.assignments:
        yield f"its terminal event lists {ready}"
    withdrawn = data.get("withdrawn_essay_ids", [])
    if not data["lists_omitted"] and tuple(withdrawn) != batch.snapshot.withdrawn:
        yield f"its terminal event lists {withdrawn} as withdrawn"


def final_result_received(evidence: Evidence, batch: BatchEvidence) -> Iterator[str]:
    """Yield ended epochs whose final result no consumer received."""
    row = batch.batch
    ended = range(1, row.epoch + (row.status in TERMINAL_EVENTS))
    own = [one for one in evidence.received if one.batch_id == batch.batch_id]
    received = {evidence.epoch_of(one) for one in own if one.detail_type in TERMINAL_EVENTS.values()}
    if set(ended) - received:
        yield f"it is {row.status} and no consumer received its terminal event"
