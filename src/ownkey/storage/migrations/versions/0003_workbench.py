"""The workbench's sessions, suites, runs and results, and a user's own names for models."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "aliases",
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("credential_id", sa.Text, nullable=True),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_aliases_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "name", name="pk_aliases"),
        sa.UniqueConstraint("id", name="uq_aliases_id"),
    )
    op.create_table(
        "workbench_sessions",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("user_id", sa.Text, nullable=True),
        sa.Column("api_key_id", sa.Text, nullable=True),
        sa.Column("peer_hash", sa.LargeBinary, nullable=True),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_workbench_sessions_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_workbench_sessions"),
        sa.UniqueConstraint("peer_hash", name="uq_workbench_sessions_peer_hash"),
        sa.UniqueConstraint("token_hash", name="uq_workbench_sessions_token_hash"),
    )
    op.create_index("ix_workbench_sessions_expires_at", "workbench_sessions", ["expires_at"], unique=False)
    op.create_index("ix_workbench_sessions_user_id", "workbench_sessions", ["user_id"], unique=False)
    op.create_table(
        "workbench_runs",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("suite_id", sa.Text, nullable=False),
        sa.Column("plan", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("summary", sa.LargeBinary, nullable=True),
        sa.Column("spending", sa.LargeBinary, nullable=True),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("started_at", sa.Double, nullable=True),
        sa.Column("ended_at", sa.Double, nullable=True),
        sa.Column("beat_at", sa.Double, nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["workbench_sessions.id"], name="fk_workbench_runs_session_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_workbench_runs"),
    )
    op.create_index("ix_workbench_runs_session_id", "workbench_runs", ["session_id"], unique=False)
    op.create_index("ix_workbench_runs_status", "workbench_runs", ["status"], unique=False)
    op.create_table(
        "workbench_suites",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=True),
        sa.Column("user_id", sa.Text, nullable=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("prompts", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["workbench_sessions.id"], name="fk_workbench_suites_session_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_workbench_suites_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_workbench_suites"),
    )
    op.create_index("ix_workbench_suites_session_id", "workbench_suites", ["session_id"], unique=False)
    op.create_index("ix_workbench_suites_user_id", "workbench_suites", ["user_id"], unique=False)
    op.create_table(
        "workbench_targets",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("masked_key", sa.Text, nullable=True),
        sa.Column("sealed", sa.LargeBinary, nullable=True),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["workbench_sessions.id"], name="fk_workbench_targets_session_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_workbench_targets"),
    )
    op.create_index("ix_workbench_targets_session_id", "workbench_targets", ["session_id"], unique=False)
    op.create_table(
        "workbench_prompts",
        sa.Column("suite_id", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["suite_id"], ["workbench_suites.id"], name="fk_workbench_prompts_suite_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("suite_id", "position", name="pk_workbench_prompts"),
    )
    op.create_table(
        "workbench_results",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("target", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("repeat", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("ok", sa.Boolean, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["workbench_runs.id"], name="fk_workbench_results_run_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "target", "position", "repeat", name="pk_workbench_results"),
    )
    op.create_index("ix_workbench_results_run_id_seq", "workbench_results", ["run_id", "seq"], unique=False)
