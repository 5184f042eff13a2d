"""A view of each batch with all that belongs to it."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Postgres expands a view inside the statement that reads it, so its plan and its snapshot are those of the
# statement. All columns but `changed_at` are for the reader; that one is for conditions.
BATCH_SNAPSHOTS = """
CREATE VIEW batch_snapshots AS
SELECT batch_id, status, version, expected_count, assigned_count, failed_count, deadline, fingerprint,
    course_code, user_id, org_id, class_id, essay_instructions, student_prompt_ref, timeout_seconds,
    correlation_id, changed_at,
    (SELECT coalesce(json_agg(json_build_array(e.essay_id, e.status, e.text_storage_id,
            e.original_file_name, e.file_upload_id) ORDER BY e.essay_id COLLATE "C"), '[]')
     FROM essays AS e WHERE e.batch_id = b.batch_id) AS slots,
    (SELECT coalesce(json_agg(json_build_array(v.identity, v.essay_id, v.original_file_name,
            v.error_code, v.file_upload_id) ORDER BY v.identity COLLATE "C"), '[]')
     FROM validation_failures AS v WHERE v.batch_id = b.batch_id) AS failures
FROM batches AS b
"""


def upgrade() -> None:
    """Create the view; older functions do not use it and are not affected."""
    op.execute(BATCH_SNAPSHOTS)


def downgrade() -> None:
    """Drop the view; functions that read it must be gone."""
    op.execute("DROP VIEW batch_snapshots")
