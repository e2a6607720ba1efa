"""The tables of the workbench, beside those of `ownkey.storage.tables` and under the same rules."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from ownkey.storage.tables import metadata

workbench_sessions = Table(
    "workbench_sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE")),
    Column("api_key_id", Text),
    Column("peer_hash", LargeBinary, unique=True),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)
"""`peer_hash` is set for a session without an account, a keyed hash of its creator's address: one session each."""

workbench_targets = Table(
    "workbench_targets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("session_id", Text, ForeignKey("workbench_sessions.id", ondelete="CASCADE"), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("masked_key", Text),
    Column("sealed", LargeBinary),
    Column("created_at", Double, nullable=False),
    Index(None, "session_id"),
)
"""Models under test. `body` is JSON without the key, which is `sealed`."""

workbench_suites = Table(
    "workbench_suites",
    metadata,
    Column("id", Text, primary_key=True),
    Column("session_id", Text, ForeignKey("workbench_sessions.id", ondelete="CASCADE")),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE")),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("prompts", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created_at", Double, nullable=False),
    Index(None, "session_id"),
    Index(None, "user_id"),
)
"""Uploaded suites: of a session, or of a user for all of theirs. `size` is in bytes."""

workbench_prompts = Table(
    "workbench_prompts",
    metadata,
    Column("suite_id", Text, ForeignKey("workbench_suites.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

workbench_runs = Table(
    "workbench_runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("session_id", Text, ForeignKey("workbench_sessions.id", ondelete="CASCADE"), nullable=False),
    Column("suite_id", Text, nullable=False),
    Column("plan", LargeBinary, nullable=False),
    Column("status", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("summary", LargeBinary),
    Column("spending", LargeBinary),
    Column("cancel_requested", Boolean, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("ended_at", Double),
    Index(None, "session_id"),
    Index(None, "status"),
)
"""`plan`, `summary` and `spending` are JSON. `round` counts the retries of failed calls."""

workbench_results = Table(
    "workbench_results",
    metadata,
    Column("run_id", Text, ForeignKey("workbench_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("target", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("repeat", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_workbench_results_run_id_seq", "run_id", "seq"),
)
"""The primary key ensures one result per prompt, whatever crashes; `body` is JSON."""

workbench_judgements = Table(
    "workbench_judgements",
    metadata,
    Column("run_id", Text, ForeignKey("workbench_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("other", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("verdict", Text, nullable=False),
    Column("flipped", Boolean, nullable=False),
)
"""What a judge said about the answers of target 0 and target `other` to the prompt at `position`."""
