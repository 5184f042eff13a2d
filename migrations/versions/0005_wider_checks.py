"""The wider checks replace the narrower ones: cancelled batches, withdrawn slots, more reasons, more ends.

They are validated first, under a lock that blocks no reader and no writer; only then the old ones go.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Table, name, and what the check says in the version before.
NARROWER = (
    (
        "batches",
        "batch_status_is_known",
        "status IN ('awaited', 'open', 'ready', 'failed', 'timed_out')",
    ),
    (
        "batches",
        "awaited_batch_has_no_registration",
        "(status = 'awaited') = (fingerprint IS NULL)",
    ),
    (
        "batches",
        "registered_batch_has_its_terms",
        (
            "status = 'awaited' OR (expected_count > 0 AND deadline IS NOT NULL AND course_code IS"
            " NOT NULL AND user_id IS NOT NULL AND timeout_seconds IS NOT NULL AND correlation_id"
            " IS NOT NULL)"
        ),
    ),
    (
        "essays",
        "slot_status_is_known",
        "status IN ('available', 'assigned', 'failed')",
    ),
    (
        "validation_failures",
        "late_reason_is_known",
        "late_reason IN ('NO_AVAILABLE_SLOT', 'BATCH_TIMED_OUT')",
    ),
    (
        "excess_contents",
        "excess_reason_is_known",
        "reason IN ('NO_AVAILABLE_SLOT', 'BATCH_TIMED_OUT')",
    ),
    (
        "batch_epochs",
        "epoch_status_is_known",
        "status IN ('ready', 'failed', 'timed_out')",
    ),
    (
        "batch_epochs",
        "epoch_end_is_known",
        "ended_by IN ('full', 'deadline')",
    ),
)
ADDED = (("batches", "cancelled_batch_has_a_missing_slot"),)

# What the version before cannot hold.
IN_THE_WAY = (
    ("a cancelled batch", "SELECT FROM batches WHERE status = 'cancelled'"),
    ("a withdrawn slot", "SELECT FROM essays WHERE status = 'withdrawn'"),
    ("a second epoch", "SELECT FROM batches WHERE epoch > 1"),
)


def upgrade() -> None:
    """Validate all, then drop the narrower checks and give their names to the wider ones."""
    for table, name, _ in NARROWER:
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT wider_{name}")
    for table, name in ADDED:
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
    for table, name, _ in NARROWER:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT wider_{name} TO {name}")


def downgrade() -> None:
    """Narrow the checks again, or refuse while the version before could not hold what is there."""
    connection = op.get_bind()
    for what, query in IN_THE_WAY:
        if connection.execute(text(f"SELECT EXISTS ({query})")).scalar_one():
            raise RuntimeError(f"cannot go back to 0004: there is {what}; delete its batch first")
    for table, name, condition in NARROWER:
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {name} TO wider_{name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition})")
