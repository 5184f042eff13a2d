"""What must be true of the record at every instant, asked in SQL of every batch there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Engine

# Each question names what it finds wrong; none may find anything.
QUESTIONS = {
    "counts that are not the rows": """
        SELECT b.batch_id FROM batches b LEFT JOIN essays e USING (batch_id) GROUP BY b.batch_id
        HAVING b.assigned_count <> count(*) FILTER (WHERE e.status = 'assigned')
            OR b.failed_count <> count(*) FILTER (WHERE e.status = 'failed')
            OR b.expected_count <> count(e.essay_id)""",
    "a failed slot and its failure that do not name each other": """
        SELECT batch_id FROM (SELECT * FROM essays WHERE status = 'failed') e
        FULL JOIN (SELECT * FROM validation_failures WHERE essay_id IS NOT NULL) v USING (batch_id, essay_id)
        WHERE e.failure_identity IS DISTINCT FROM v.identity""",
    "a content that is assigned and excess too": """
        SELECT batch_id FROM essays JOIN excess_contents USING (batch_id, text_storage_id)""",
    "an arrival that is parked beside a registered batch": """
        SELECT batch_id FROM parked_arrivals JOIN batches USING (batch_id) WHERE status <> 'awaited'""",
    "a batch that is full and still open": """
        SELECT batch_id FROM batches
        WHERE status = 'open' AND assigned_count + failed_count = expected_count""",
}


def balance(engine: Engine) -> None:
    """Assert that no question finds anything."""
    with engine.connect() as connection:
        found = {what: connection.execute(text(sql)).all() for what, sql in QUESTIONS.items()}
    assert not {what: rows for what, rows in found.items() if rows}
