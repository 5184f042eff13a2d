"""Lists cost the same with 100 000 batches as with ten: an index serves each, and no table is scanned."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.connection import connect
from els_core.adapters.postgres.session import Session
from els_core.adapters.postgres.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCHES = 100_000
FILL = """
INSERT INTO batches (batch_id, status, version, expected_count, assigned_count, deadline, fingerprint,
    course_code, user_id, org_id, timeout_seconds, correlation_id, created_at)
SELECT 'b' || n, 'ready', 1, 1, 1, now(), 'f', 'ENG5', 'user-' || n % 1000, 'org-' || n % 100, 60, 'c' || n,
    now() - n * interval '1 second'
FROM generate_series(CAST(:first AS integer), :first + 9999) AS n
"""
SLOTS = """
INSERT INTO essays (batch_id, essay_id, status, text_storage_id, raw_file_storage_id, original_file_name,
    file_size_bytes, file_upload_id, settled_at)
SELECT 'b' || n, 'e', 'assigned', 't' || n, 'r', 'n', 1, 'u' || n, now()
FROM generate_series(CAST(:first AS integer), :first + 9999) AS n
"""
ANY: dict[str, object] = dict.fromkeys(
    ("status", "user_id", "org_id", "caller_org_id", "course_code", "created_after", "before", "before_id")
)
PAGE: dict[str, object] = {**ANY, "scan": 101, "limit": 101}
PAGES: dict[str, tuple[Statement, dict[str, object]]] = {
    "the newest": (statements.LIST_BATCHES, PAGE),
    "a later page": (
        statements.LIST_BATCHES,
        {**PAGE, "before": "2020-01-01T00:00:00Z", "before_id": "b5"},
    ),
    "of a user": (statements.LIST_BATCHES, {**PAGE, "user_id": "user-7"}),
    "of an organisation": (statements.LIST_BATCHES, {**PAGE, "caller_org_id": "org-7"}),
    "of a rare status": (statements.LIST_BATCHES, {**PAGE, "status": "cancelled", "scan": 5_000}),
    "stuck": (statements.LIST_WAITING_BATCHES, {**ANY, "is_stuck": True, "has_parked": False, "limit": 101}),
    "parked": (statements.LIST_WAITING_BATCHES, {**ANY, "is_stuck": False, "has_parked": True, "limit": 101}),
    "found": (
        statements.FIND_ARRIVALS,
        {
            "searched": "t77",
            "caller_org_id": None,
            "limit": 101,
            "after_batch": "",
            "after_kind": "",
            "after_identity": "",
        },
    ),
}


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    session = Session(connect(database_url), named=False)
    for first in range(1, BATCHES, 10_000):
        session.read("fill", Statement.of(FILL), {"first": first})
    session.read("fill", Statement.of(SLOTS), {"first": 1})
    for table in ("batches", "essays"):
        session.read("analyze", Statement.of(f"ANALYZE {table}"), {})
    yield session
    session.close()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def rows_read(plan: dict[str, Any]) -> int:
    """Return how many rows of the large tables were looked at."""
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in nodes(plan)
        if node.get("Relation Name") in {"batches", "essays"}
    )


def test_no_page_scans_or_sorts_a_large_table(session: Session) -> None:
    for name, (statement, values) in PAGES.items():
        explain = Statement.of(f"EXPLAIN (ANALYZE, FORMAT JSON) {_body_of(statement)}")
        found: Any = session.read(name, explain, values)[0]["QUERY PLAN"]
        [top] = json.loads(found) if isinstance(found, str) else found
        scans = [
            node
            for node in nodes(top["Plan"])
            if node["Node Type"] == "Seq Scan" and node["Relation Name"] in {"batches", "essays"}
        ]
        assert scans == [], name
        assert rows_read(top["Plan"]) <= 5_000 + 2 * 101, name


def _body_of(statement: Statement) -> str:
    """Return a statement with the names of its parameters again."""
    sql = statement.sql
    for number, parameter in reversed(list(enumerate(statement.parameters, 1))):
        sql = sql.replace(f"${number}", f":{parameter}")
    return sql
