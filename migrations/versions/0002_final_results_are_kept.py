"""Final results are kept with their batch, the outbox knows them, and scheduled jobs note when they ran.

Only adds, so that the functions of the version before go on working: their outbox rows are no final results
by default, and a batch that they close has no kept result, which is then encoded from the rows again.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

EPOCHS = """
CREATE TABLE batch_epochs (
    batch_id      text        NOT NULL,
    epoch         integer     NOT NULL,
    opened_at     timestamptz,
    ended_at      timestamptz,
    status        text,
    ended_by      text,
    deadline      timestamptz,
    event_id      uuid,
    detail_type   text,
    detail        text,
    digest        text,
    first_sent_at timestamptz,
    CONSTRAINT one_row_per_epoch PRIMARY KEY (batch_id, epoch),
    CONSTRAINT epoch_belongs_to_a_batch
        FOREIGN KEY (batch_id) REFERENCES batches (batch_id) ON DELETE CASCADE,
    CONSTRAINT one_epoch_per_event UNIQUE (event_id),
    CONSTRAINT epoch_status_is_known CHECK (status IN ('ready', 'failed', 'timed_out')),
    CONSTRAINT epoch_end_is_known CHECK (ended_by IN ('full', 'deadline')),
    CONSTRAINT ended_epoch_has_its_result CHECK ((ended_at IS NULL) = (event_id IS NULL)
        AND (ended_at IS NULL) = (status IS NULL) AND (ended_at IS NULL) = (ended_by IS NULL)
        AND (ended_at IS NULL) = (detail IS NULL) AND (ended_at IS NULL) = (detail_type IS NULL))
)
"""

RUNS = """
CREATE TABLE job_runs (
    job    text        NOT NULL,
    ran_at timestamptz NOT NULL,
    CONSTRAINT one_row_per_job PRIMARY KEY (job)
)
"""

UPGRADE = (
    EPOCHS,
    RUNS,
    "ALTER TABLE outbox ADD COLUMN is_final boolean NOT NULL DEFAULT false",
    "CREATE INDEX final_outbox_order ON outbox (position) WHERE is_final",
    "CREATE INDEX outbox_batches ON outbox (batch_id)",
)
DOWNGRADE = (
    "DROP INDEX outbox_batches",
    "DROP INDEX final_outbox_order",
    "ALTER TABLE outbox DROP COLUMN is_final",
    "DROP TABLE job_runs",
    "DROP TABLE batch_epochs",
)


def upgrade() -> None:
    """Add tables, a column with a constant default, and indexes on a table that is nearly empty."""
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """Drop them. The stored final results are lost; the batches stay, and so what the results are made of."""
    for statement in DOWNGRADE:
        op.execute(statement)
