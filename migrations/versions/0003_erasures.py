"""Each erasure leaves a row: which batch, when, by whom and why.

Only adds a table, which the functions of the version before do not know.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ERASURES = """
CREATE TABLE erasures (
    position  bigint      GENERATED ALWAYS AS IDENTITY,
    batch_id  text        NOT NULL,
    actor     text        NOT NULL,
    reason    text        NOT NULL,
    erased_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT one_row_per_erasure PRIMARY KEY (position)
)
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(ERASURES)


def downgrade() -> None:
    """Drop the table, and with it the trail of erasures."""
    op.execute("DROP TABLE erasures")
