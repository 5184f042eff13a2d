"""python -m dev.demo.questions: answer an operator's questions about the demo that was left running."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from dev.demo.monitor import container_of
from dev.demo.session import environment_of_session
from els_core.adapters.postgres.connection import connect as connect_postgres
from els_core.application.batch_status import BatchDescription
from els_core.domain.batches import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from els_core.application.check_health import HealthReport
    from els_core.domain.audit import Finding

NEWEST = text("SELECT batch_id FROM batches ORDER BY changed_at DESC LIMIT 50")
WINDOW = timedelta(days=1)
NO_REASON = "without a reason: docs/runbooks/redrive.md says how it got there"
TOLD = ("error_code", "field", "reason")  # attributes of a message that a function gave up


def main() -> None:
    """Print the four answers."""
    environment = environment_of_session()
    container = container_of(environment)
    engine = connect_postgres(environment.database_url)
    with engine.begin() as connection:
        batches = [row.batch_id for row in connection.execute(NEWEST)]
    findings = container.audit_batches(WINDOW).run(lambda: True, repair=False).findings
    read = container.batch_status().read
    descriptions = [found for found in map(read, batches) if isinstance(found, BatchDescription)]
    sqs = environment.stack.client("sqs")
    letters = container.settings.required_dead_letter_queue_urls
    answers = {
        "Is it healthy?": health(container.check_health().run()),
        "Which batches are stuck, and why?": stuck(findings, descriptions),
        "What is in the dead-letter queues?": [
            line for name, url in letters.items() for line in dead(name, peek(sqs, url))
        ],
        "When was the result told?": told(descriptions),
    }
    for question, lines in answers.items():
        print(f"\n{question}")
        print("\n".join(f"  {line}" for line in lines))
    container.close()
    engine.dispose()


def health(report: HealthReport) -> Iterator[str]:
    """Yield what is wrong, or that nothing is, and the figures."""
    up = {
        "Postgres": report.backlog is not None,
        "Redis": report.is_redis_up,
        "the outbound bus": report.is_event_bus_up,
        "SQS": report.queues is not None,
    }
    wrong = [f"{name} does not answer" for name, answers in up.items() if not answers]
    if report.backlog is not None:
        counts = {"late": report.backlog.late_batches, "stuck": report.backlog.stuck_batches}
        wrong += [f"{what} batches: {count}" for what, count in counts.items() if count]
    dead_letters = sum(queue.waiting for queue in report.queues or () if queue.is_dead_letter_queue)
    wrong += [f"dead letters: {dead_letters}"] if dead_letters else []
    yield f"no: {', '.join(wrong)}" if wrong else "yes"
    if (backlog := report.backlog) is not None:
        yield (
            f"open batches: {backlog.open_batches}, parked arrivals: {backlog.parked_arrivals}, "
            f"unsent events: {backlog.outbox_events}"
        )
        yield f"the sweep ran {_ago(backlog.sweep_age_seconds)}, the relay {_ago(backlog.relay_age_seconds)}"


def stuck(findings: Sequence[Finding], descriptions: Sequence[BatchDescription]) -> Iterator[str]:
    """Yield what the audit found, and for every batch that is not ended what it waits for."""
    if not findings:
        yield "none that the audit knows"
    for finding in findings:
        yield f"{finding.batch_id or '-'}  {finding.kind.value}: {finding.detail}"
    for each in descriptions:
        if each.overview.batch.status in {Status.AWAITED, Status.OPEN}:
            yield f"{each.overview.batch.batch_id}  {each.move.sentence}"


def dead(queue: str, messages: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield why each of some messages is in a dead-letter queue."""
    yield f"{queue}: {len(messages) or 'nothing'}"
    for message in messages:
        attributes = message.get("MessageAttributes", {})
        known = [attributes[name]["StringValue"] for name in TOLD if name in attributes]
        yield f"  {_event_of(message['Body'])}  {', '.join(known) or NO_REASON}"


def _event_of(body: str) -> str:
    """Return the kind and the source of an event, nothing that may be personal."""
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    return f"{event.get('detail-type')} of {event.get('source')}" if isinstance(event, dict) else "no event"


def peek(sqs: Any, url: str) -> list[dict[str, Any]]:
    """Return up to ten messages of a queue, and leave them in it."""
    answer = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
    )
    found: list[dict[str, Any]] = answer.get("Messages", [])
    return found


def told(descriptions: Sequence[BatchDescription]) -> Iterator[str]:
    """Yield for every batch that is ended when its result was sent first."""
    for each in descriptions:
        batch_id, announcement = each.overview.batch.batch_id, each.overview.announcement
        if announcement is None:
            continue
        sent = announcement.first_sent_at
        when = f"{sent:%Y-%m-%d %H:%M:%S} UTC" if sent else "not yet"
        yield f"{batch_id}  {when}: {each.move.sentence}"


def _ago(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.0f} s ago"


if __name__ == "__main__":
    main()
