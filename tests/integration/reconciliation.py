"""What must be true of the rows of every batch at any moment, as SQL that finds the batches that break it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Engine

# Each query is named after the inconsistency that it finds; none may return a row.
INCONSISTENCIES = {
    "counts that differ from the rows": """
        SELECT b.batch_id FROM batches b LEFT JOIN essays e USING (batch_id) GROUP BY b.batch_id
        HAVING b.assigned_count <> count(*) FILTER (WHERE e.status = 'assigned')
            OR b.failed_count <> count(*) FILTER (WHERE e.status = 'failed')
            OR b.expected_count <> count(e.essay_id) FILTER (WHERE e.status <> 'withdrawn')""",
    "a failed slot and a failure that do not refer to each other": """
        SELECT batch_id FROM (SELECT * FROM essays WHERE status = 'failed') e
        FULL JOIN (SELECT * FROM validation_failures WHERE essay_id IS NOT NULL) v USING (batch_id, essay_id)
        WHERE e.failure_identity IS DISTINCT FROM v.identity""",
    "a content that is both assigned and excess": """
        SELECT batch_id FROM essays JOIN excess_contents USING (batch_id, text_storage_id)""",
    "a superseded arrival that is also something else": """
        SELECT batch_id FROM superseded_arrivals s JOIN essays e USING (batch_id)
        WHERE s.identity IN ('content:' || e.text_storage_id, e.failure_identity)
        UNION ALL SELECT batch_id FROM superseded_arrivals JOIN validation_failures USING (batch_id, identity)
        UNION ALL SELECT batch_id FROM superseded_arrivals JOIN parked_arrivals USING (batch_id, identity)
        UNION ALL SELECT batch_id FROM superseded_arrivals s JOIN excess_contents x USING (batch_id)
        WHERE s.identity = 'content:' || x.text_storage_id""",
    "an ended epoch without its result": """
        SELECT b.batch_id FROM batches b LEFT JOIN batch_epochs e
            ON e.batch_id = b.batch_id AND e.epoch = b.epoch AND e.status = b.status
        WHERE b.status NOT IN ('awaited', 'open') AND e.event_id IS NULL""",
    "a parked arrival of a registered batch": """
        SELECT batch_id FROM parked_arrivals JOIN batches USING (batch_id) WHERE status <> 'awaited'""",
    "a full batch that is still open": """
        SELECT batch_id FROM batches
        WHERE status = 'open' AND assigned_count + failed_count = expected_count""",
}


def assert_rows_are_consistent(engine: Engine) -> None:
    """Assert that no query finds an inconsistency."""
    with engine.connect() as connection:
        found = {name: connection.execute(text(sql)).all() for name, sql in INCONSISTENCIES.items()}
    assert not {name: rows for name, rows in found.items() if rows}
