"""Pools, leases and runs in place of counters; what a request reserved and counted."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pools",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("window_s", sa.Double, nullable=False),
        sa.Column("spent", sa.BigInteger, nullable=False),
        sa.Column("leased", sa.BigInteger, nullable=False),
        sa.Column("spends", sa.JSON, nullable=False),
        sa.Column("used_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pools"),
    )
    op.create_index("ix_pools_used_at", "pools", ["used_at"], unique=False)
    op.create_table(
        "runs",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("journal", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_table(
        "leases",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("pool_id", sa.Text, nullable=False),
        sa.Column("granted", sa.BigInteger, nullable=False),
        sa.Column("settled", sa.BigInteger, nullable=False),
        sa.Column("recalled", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_leases_pool_id"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_leases_run_id"),
        sa.PrimaryKeyConstraint("run_id", "pool_id", name="pk_leases"),
    )
    op.create_index("ix_leases_pool_id", "leases", ["pool_id"], unique=False)
    op.drop_index("ix_counters_expires_at", table_name="counters")
    op.drop_table("counters")
    for name in ("reserved", "counted"):
        op.add_column("requests", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
