"""People can act on a batch: commands, epochs, superseded arrivals, cancelled batches, withdrawn slots.

Only widens, so that the functions of the version before go on working. The checks that this needs wider are
replaced by the next migration, in a transaction of its own.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COMMANDS = """
CREATE TABLE batch_commands (
    batch_id    text        NOT NULL,
    command_id  text        NOT NULL,
    door        text        NOT NULL,
    source      text        NOT NULL,
    command     text        NOT NULL,
    body        jsonb       NOT NULL,
    fingerprint text        NOT NULL,
    actor       text        NOT NULL,
    reason      text,
    answer      jsonb       NOT NULL,
    refusal     text,
    version     bigint      NOT NULL,
    epoch       integer     NOT NULL,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT one_row_per_command PRIMARY KEY (batch_id, command_id),
    CONSTRAINT command_belongs_to_a_batch
        FOREIGN KEY (batch_id) REFERENCES batches (batch_id) ON DELETE CASCADE,
    CONSTRAINT door_is_known CHECK (door IN ('bus', 'api'))
)
"""

SUPERSEDED = """
CREATE TABLE superseded_arrivals (
    batch_id      text        NOT NULL,
    identity      text        NOT NULL,
    by_identity   text,
    by_command    text,
    essay_id      text,
    arrival       jsonb,
    superseded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    arrived_at    timestamptz,
    CONSTRAINT one_row_per_superseded_arrival PRIMARY KEY (batch_id, identity),
    CONSTRAINT superseded_arrival_belongs_to_a_batch
        FOREIGN KEY (batch_id) REFERENCES batches (batch_id) ON DELETE CASCADE,
    CONSTRAINT superseded_arrival_has_its_time CHECK ((arrival IS NULL) = (arrived_at IS NULL)),
    CONSTRAINT superseded_arrival_has_a_cause CHECK (by_identity IS NOT NULL OR by_command IS NOT NULL)
)
"""

COLUMNS = (
    "ALTER TABLE batches ADD COLUMN epoch integer NOT NULL DEFAULT 1, ADD COLUMN last_arrival_at timestamptz",
    "ALTER TABLE essays ADD COLUMN supersedes text",
    "ALTER TABLE validation_failures ADD COLUMN supersedes text",
    (
        "ALTER TABLE excess_contents ADD COLUMN file_size_bytes bigint, ADD COLUMN content_md5_hash text,"
        " ADD COLUMN correlation_id text, ADD COLUMN supersedes text, ADD COLUMN position bigint"
    ),
    # No identity column: that would rewrite the table. Rows from before have no position.
    "CREATE SEQUENCE excess_order OWNED BY excess_contents.position",
    "ALTER TABLE excess_contents ALTER COLUMN position SET DEFAULT nextval('excess_order')",
)
# Table, name, condition. A check that replaces another one takes its name in the next migration.
WIDER = (
    (
        "batches",
        "wider_batch_status_is_known",
        "status IN ('awaited', 'open', 'ready', 'failed', 'timed_out', 'cancelled')",
    ),
    (
        "batches",
        "wider_awaited_batch_has_no_registration",
        (
            "CASE WHEN status = 'awaited' THEN fingerprint IS NULL WHEN status = 'cancelled' THEN"
            " true ELSE fingerprint IS NOT NULL END"
        ),
    ),
    (
        "batches",
        "wider_registered_batch_has_its_terms",
        (
            "fingerprint IS NULL OR (expected_count > 0 AND deadline IS NOT NULL AND course_code"
            " IS NOT NULL AND user_id IS NOT NULL AND timeout_seconds IS NOT NULL AND"
            " correlation_id IS NOT NULL)"
        ),
    ),
    (
        "batches",
        "cancelled_batch_has_a_missing_slot",
        "status <> 'cancelled' OR fingerprint IS NULL OR assigned_count + failed_count < expected_count",
    ),
    (
        "essays",
        "wider_slot_status_is_known",
        "status IN ('available', 'assigned', 'failed', 'withdrawn')",
    ),
    (
        "validation_failures",
        "wider_late_reason_is_known",
        "late_reason IN ('NO_AVAILABLE_SLOT', 'BATCH_TIMED_OUT', 'BATCH_CANCELLED', 'REPLACEMENT_FAILED')",
    ),
    (
        "excess_contents",
        "wider_excess_reason_is_known",
        "reason IN ('NO_AVAILABLE_SLOT', 'BATCH_TIMED_OUT', 'BATCH_CANCELLED')",
    ),
    (
        "batch_epochs",
        "wider_epoch_status_is_known",
        "status IN ('ready', 'failed', 'timed_out', 'cancelled')",
    ),
    (
        "batch_epochs",
        "wider_epoch_end_is_known",
        "ended_by IN ('full', 'close', 'deadline', 'cancel')",
    ),
)

DOWNGRADE = (
    "DROP TABLE superseded_arrivals",
    "DROP TABLE batch_commands",
    (
        "ALTER TABLE excess_contents DROP COLUMN position, DROP COLUMN supersedes,"
        " DROP COLUMN correlation_id, DROP COLUMN content_md5_hash, DROP COLUMN file_size_bytes"
    ),
    "ALTER TABLE validation_failures DROP COLUMN supersedes",
    "ALTER TABLE essays DROP COLUMN supersedes",
    "ALTER TABLE batches DROP COLUMN last_arrival_at, DROP COLUMN epoch",
)


def upgrade() -> None:
    """Add columns without rewriting a table, tables, and a check without looking at the rows."""
    for statement in (*COLUMNS, COMMANDS, SUPERSEDED):
        op.execute(statement)
    for table, name, condition in WIDER:
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")


def downgrade() -> None:
    """Take them away; what was commanded is lost, what it did stays."""
    for table, name, _ in WIDER:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for statement in DOWNGRADE:
        op.execute(statement)
