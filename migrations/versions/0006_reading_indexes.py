"""Batches and arrivals are found by what people know of them, and rejected registrations are kept.

On large tables the indexes are built by hand first, with CREATE INDEX CONCURRENTLY.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

REJECTED = """
CREATE TABLE rejected_registrations (
    batch_id    text        NOT NULL,
    fingerprint text        NOT NULL,
    differs     text[]      NOT NULL,
    rejected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT one_row_per_rejected_registration PRIMARY KEY (batch_id, fingerprint),
    CONSTRAINT rejected_registration_belongs_to_a_batch
        FOREIGN KEY (batch_id) REFERENCES batches (batch_id) ON DELETE CASCADE
)
"""

# Name, table, columns, condition.
INDEXES = (
    ("batches_by_creation", "batches", "created_at, batch_id", None),
    ("batches_by_user", "batches", "user_id, created_at, batch_id", "user_id IS NOT NULL"),
    ("batches_by_organisation", "batches", "org_id, created_at, batch_id", "org_id IS NOT NULL"),
    ("batches_by_correlation", "batches", "correlation_id", "correlation_id IS NOT NULL"),
    ("essays_by_content", "essays", "text_storage_id", "text_storage_id IS NOT NULL"),
    ("essays_by_upload", "essays", "file_upload_id", "file_upload_id IS NOT NULL"),
    ("failures_by_identity", "validation_failures", "identity", None),
    ("excess_contents_by_content", "excess_contents", "text_storage_id", None),
    ("excess_contents_by_upload", "excess_contents", "file_upload_id", "file_upload_id IS NOT NULL"),
    ("parked_arrivals_by_identity", "parked_arrivals", "identity", None),
    ("superseded_arrivals_by_identity", "superseded_arrivals", "identity", None),
)


def upgrade() -> None:
    """Add a table and indexes."""
    op.execute(REJECTED)
    for name, table, columns, condition in INDEXES:
        where = f" WHERE {condition}" if condition else ""
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({columns}){where}")


def downgrade() -> None:
    """Take them away; which registrations were rejected is lost."""
    for name, _, _, _ in reversed(INDEXES):
        op.execute(f"DROP INDEX {name}")
    op.execute("DROP TABLE rejected_registrations")
