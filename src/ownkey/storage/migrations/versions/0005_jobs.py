"""Durable jobs in the database itself, and a judge's verdicts as rows."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("due_at", sa.Double, nullable=True),
        sa.Column("holder", sa.Text, nullable=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("failure", sa.Text, nullable=True),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("name", "key", name="pk_jobs"),
    )
    op.create_index("ix_jobs_due_at", "jobs", ["due_at"], unique=False)
    op.create_table(
        "workbench_judgements",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("other", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("flipped", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["workbench_runs.id"], name="fk_workbench_judgements_run_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "other", "position", name="pk_workbench_judgements"),
    )
    # Runs that the library of an earlier version had under way.
    op.execute(
        "INSERT INTO jobs (name, key, due_at, attempts, created_at) "
        "SELECT 'workbench-run', id || ':' || round, created_at, 0, created_at FROM workbench_runs "
        "WHERE status IN ('pending', 'running')"
    )
    op.drop_column("workbench_runs", "beat_at")
