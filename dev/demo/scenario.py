"""One demo from the first event to the last check."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from dev.demo.checks import check_all
from dev.demo.evidence import Evidence, RedisEvidence
from dev.demo.evidence_reader import EvidenceReader
from dev.demo.files import validate
from dev.deploy.stack import Announcement, EventConsumer, ReceivedEvent, announce
from dev.invariants.derivations import TERMINAL_EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.live import Live

    from dev.demo.console import Console
    from dev.demo.environment import Environment
    from dev.demo.evidence import BatchState, RedisSlots
    from dev.demo.workload import Workload

GROUP = 5
PAUSE_SECONDS = 0.5
ROUNDS = 300


class Scenario:
    """Publishes the events of a workload, consumes what comes out, and checks the invariants."""

    def __init__(
        self, environment: Environment, workload: Workload, console: Console, consumer: EventConsumer
    ) -> None:
        self._environment = environment
        self._workload = workload
        self._console = console
        self._consumer = consumer
        self._received: list[ReceivedEvent] = []
        self._reader = EvidenceReader(environment, workload)
        self._events = environment.stack.client("events")
        self._bus = environment.stack.outputs["InboundBus"]
        self._flushed_at = 0.0
        self._open_batches: Sequence[tuple[BatchState, RedisSlots]] = ()

    def run(self, *, tamper: bool) -> bool:
        """Run the demo and return whether every invariant holds."""
        self._store()
        with self._console.live() as live:
            self._publish(live)
            self._until(live, "wait until every file has an outcome", self._is_decided)
            self._open_batches = self._reader.open_batches()
            if not self._open_batches:
                self._console.say("no batch is open any more: the slots in Redis cannot be compared")
            name = self._workload.incomplete.name
            self._until(
                live, f'wait for the deadline of "{name}", and the sweep of each minute', self._is_over
            )
            late = self._workload.latecomer.announcement(self._workload.incomplete.batch_id)
            announce(self._events, self._bus, late)
            self._until(
                live, f'send a file to the closed batch "{name}": it must become excess', self._is_quiescent
            )
        if tamper:
            self._console.say("BREAK=1: change the content of one assigned slot in Postgres")
            self._reader.tamper()
        return self._check()

    def _store(self) -> None:
        s3, bucket = self._environment.stack.client("s3"), self._environment.bucket
        uploads = [u for batch in self._workload.batches for u in batch.uploads] + [self._workload.latecomer]
        duplicates = self._workload.duplicates
        self._console.say(f"store {len(uploads)} files in S3 and validate them; {duplicates} are sent twice")
        for upload in uploads:
            s3.put_object(Bucket=bucket, Key=f"raw-{upload.upload_id}", Body=upload.file.body)
            text = validate(upload.file.body)
            if upload.failure is None and isinstance(text, str):
                s3.put_object(Bucket=bucket, Key=upload.text_id, Body=text.encode())

    def _publish(self, live: Live | None) -> None:
        """Publish all events in groups, and one poison message; flush Redis half-way."""
        announcements = self._workload.announcements
        group = max(GROUP, len(announcements) // 20)
        announce(self._events, self._bus, Announcement("EssayContentProvisioned", {"batch_id": "poison"}))
        for start in range(0, len(announcements), group):
            announce(self._events, self._bus, *announcements[start : start + group])
            if start <= self._workload.flush_after < start + group:
                self._flushed_at = self._reader.flush_redis()
                self._console.say("delete everything from Redis, while events are on their way")
            sent = min(start + group, len(announcements))
            note = f"sent {sent} of {len(announcements)} events to the inbound bus"
            self._console.progress(live, self._workload, self._reader.states(), note)
            Event().wait(PAUSE_SECONDS)

    def _until(self, live: Live | None, note: str, condition: Callable[[], bool]) -> None:
        self._console.begin(live, note)
        for _ in range(ROUNDS):
            self._received.extend(self._consumer.receive())
            self._console.progress(live, self._workload, self._reader.states(), note)
            if condition():
                return
            Event().wait(PAUSE_SECONDS)
        seconds = ROUNDS * PAUSE_SECONDS
        self._console.say(f"not reached after {seconds:.0f} s: {note}; the checks will show what is missing")

    def _is_decided(self) -> bool:
        """Tell whether no message is in flight and every batch is closed but the incomplete one."""
        states = self._reader.states()
        open_ids = set(self._workload.batch_ids) - {n for n, state in states.items() if state.is_terminal}
        return open_ids <= {self._workload.incomplete.batch_id} and not self._reader.queued()

    def _is_over(self) -> bool:
        closed = {name for name, state in self._reader.states().items() if state.is_terminal}
        types = TERMINAL_EVENTS.values()
        announced = {event.data["batch_id"] for event in self._received if event.detail_type in types}
        return set(self._workload.batch_ids) <= announced & closed

    def _is_quiescent(self) -> bool:
        late = self._workload.latecomer.text_id
        is_received = any(event.data.get("text_storage_id") == late for event in self._received)
        unsent = sum(state.unsent for state in self._reader.states().values())
        return is_received and not unsent and not self._reader.queued()

    def _check(self) -> bool:
        reader = self._reader
        states = reader.states()
        redis = RedisEvidence(self._flushed_at, self._open_batches, reader.metadata())
        evidence = Evidence(
            self._workload, states, redis, self._received, reader.queued(), reader.dead_letters()
        )
        reader.close()
        results = check_all(evidence)
        self._console.batches(self._workload, states)
        self._console.events(self._workload, self._received)
        self._console.results(results)
        return not any(result.violations for result in results)
