"""Batches, their slots, their arrivals, and the outbox."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BATCHES = """
CREATE TABLE batches (
    batch_id           text        NOT NULL,
    status             text        NOT NULL DEFAULT 'awaited',
    version            bigint      NOT NULL DEFAULT 0,
    expected_count     integer     NOT NULL DEFAULT 0,
    assigned_count     integer     NOT NULL DEFAULT 0,
    failed_count       integer     NOT NULL DEFAULT 0,
    deadline           timestamptz,
    fingerprint        text,
    course_code        text,
    user_id            text,
    org_id             text,
    class_id           text,
    essay_instructions text,
    student_prompt_ref text,
    timeout_seconds    integer,
    correlation_id     text,
    announced_digest   text,
    created_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT one_row_per_batch PRIMARY KEY (batch_id),
    CONSTRAINT batch_status_is_known
        CHECK (status IN ('awaited', 'open', 'ready', 'failed', 'timed_out')),
    CONSTRAINT awaited_batch_has_no_registration CHECK ((status = 'awaited') = (fingerprint IS NULL)),
    CONSTRAINT registered_batch_has_its_terms CHECK (status = 'awaited' OR (
        expected_count > 0 AND deadline IS NOT NULL AND course_code IS NOT NULL AND user_id IS NOT NULL
        AND timeout_seconds IS NOT NULL AND correlation_id IS NOT NULL)),
    CONSTRAINT counts_fit_the_slots
        CHECK (assigned_count >= 0 AND failed_count >= 0 AND assigned_count + failed_count <= expected_count),
    CONSTRAINT open_batch_has_a_free_slot
        CHECK (status <> 'open' OR assigned_count + failed_count < expected_count),
    CONSTRAINT ready_batch_is_full_with_an_essay
        CHECK (status <> 'ready' OR (assigned_count + failed_count = expected_count AND assigned_count > 0)),
    CONSTRAINT failed_batch_is_full_of_failures CHECK (status <> 'failed' OR failed_count = expected_count),
    CONSTRAINT timed_out_batch_has_a_missing_slot
        CHECK (status <> 'timed_out' OR assigned_count + failed_count < expected_count)
) WITH (fillfactor = 70)
"""

ESSAYS = """
CREATE TABLE essays (
    batch_id            text   NOT NULL,
    essay_id            text   NOT NULL,
    status              text   NOT NULL DEFAULT 'available',
    text_storage_id     text,
    raw_file_storage_id text,
    original_file_name  text,
    file_size_bytes     bigint,
    content_md5_hash    text,
    file_upload_id      text,
    failure_identity    text,
    settled_at          timestamptz,
    CONSTRAINT one_row_per_slot PRIMARY KEY (batch_id, essay_id),
    CONSTRAINT slot_belongs_to_a_batch
        FOREIGN KEY (batch_id) REFERENCES batches (batch_id) ON DELETE CASCADE,
    CONSTRAINT one_slot_per_content UNIQUE (batch_id, text_storage_id),
    CONSTRAINT one_slot_per_failure UNIQUE (batch_id, failure_identity),
    CONSTRAINT slot_status_is_known CHECK (status IN ('available', 'assigned', 'failed')),
    CONSTRAINT assigned_slot_has_a_content CHECK ((status = 'assigned') = (text_storage_id IS NOT NULL)),
    CONSTRAINT failed_slot_has_a_failure CHECK ((status = 'failed') = (failure_identity IS NOT NULL))
) WITH (fillfactor = 70)
"""

FAILURES = """
CREATE TABLE validation_failures (
    batch_id            text        NOT NULL,
    identity            text        NOT NULL,
    essay_id            text,
    late_reason         text,
    event_id            text        NOT NULL,
    error_code          text        NOT NULL,
    error_message       text        NOT NULL,
    original_file_name  text        NOT NULL,
    raw_file_storage_id text        NOT NULL,
    file_size_bytes     bigint      NOT NULL,
    file_upload_id      text,
    recorded_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT one_row_per_failure PRIMARY KEY (batch_id, identity),
    CONSTRAINT failure_belongs_to_a_batch
        FOREIGN KEY (batch_id) REFERENCES batches (batch_id) ON DELETE CASCADE,
    CONSTRAINT one_failure_per_slot UNIQUE (batch_id, essay_id),
    CONSTRAINT failure_has_a_slot_or_is_late CHECK ((essay_id IS NULL) = (late_reason IS NOT NULL)),
    CONSTRAINT late_reason_is_known CHECK (late_reason IN ('NO_AVAILABLE_SLOT', 'BATCH_TIMED_OUT'))
)
"""

EXCESS = """
CREATE TABLE excess_contents (
    batch_id            text        NOT NULL,
    text_storage_id     text        NOT NULL,
    reason              text        NOT NULL,
    original_file_name  text        NOT NULL,
    raw_file_storage_id text        NOT NULL,
    file_upload_id      text,
    recorded_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT one_row_per_excess_content PRIMARY KEY (batch_id, text_storage_id),
    CONSTRAINT excess_content_belongs_to_a_batch
        FOREIGN KEY (batch_id) REFERENCES batches (batch_id) ON DELETE CASCADE,
    CONSTRAINT excess_reason_is_known CHECK (reason IN ('NO_AVAILABLE_SLOT', 'BATCH_TIMED_OUT'))
)
"""

PARKED = """
CREATE TABLE parked_arrivals (
    batch_id     text        NOT NULL,
    identity     text        NOT NULL,
    arrival      jsonb       NOT NULL,
    parked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    announced_at timestamptz,
    position     bigint      GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT one_row_per_parked_arrival PRIMARY KEY (batch_id, identity),
    CONSTRAINT parked_arrival_belongs_to_a_batch
        FOREIGN KEY (batch_id) REFERENCES batches (batch_id) ON DELETE CASCADE
)
"""

OUTBOX = """
CREATE TABLE outbox (
    event_id    uuid        NOT NULL,
    position    bigint      GENERATED ALWAYS AS IDENTITY,
    batch_id    text        NOT NULL,
    detail_type text        NOT NULL,
    detail      text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT one_row_per_event PRIMARY KEY (event_id)
)
"""

INDEXES = (
    "CREATE INDEX available_essays ON essays (batch_id, essay_id) WHERE status = 'available'",
    "CREATE INDEX open_deadlines ON batches (deadline, batch_id) WHERE status = 'open'",
    "CREATE INDEX closed_or_awaited_changes ON batches (changed_at) WHERE status <> 'open'",
    "CREATE INDEX unannounced_parked ON parked_arrivals (parked_at) WHERE announced_at IS NULL",
    "CREATE INDEX outbox_order ON outbox (position)",
)

# All shorter than the timeout of the functions, so that a killed function keeps no lock. Set on the role,
# because RDS Proxy rejects them as connection options.
LIMITS = {"lock_timeout": "5s", "statement_timeout": "8s", "idle_in_transaction_session_timeout": "8s"}
CHANGE_LIMIT = """
DO $$ BEGIN
    EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I {change}', current_database());
END $$
"""

TABLES = ("outbox", "parked_arrivals", "excess_contents", "validation_failures", "essays", "batches")


def upgrade() -> None:
    """Create the tables; the name of each constraint says what it demands."""
    for statement in (BATCHES, ESSAYS, FAILURES, EXCESS, PARKED, OUTBOX, *INDEXES):
        op.execute(statement)
    for limit, value in LIMITS.items():
        op.execute(CHANGE_LIMIT.format(change=f"SET {limit} = ''{value}''"))


def downgrade() -> None:
    """Drop the tables and reset the limits of the role."""
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
    for limit in LIMITS:
        op.execute(CHANGE_LIMIT.format(change=f"RESET {limit}"))
