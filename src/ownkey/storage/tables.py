"""The tables, in SQLAlchemy Core, the same for SQLite and Postgres; `workbench/tables.py` adds those of the workbench.

Times are Unix seconds, money is nano-dollars, ids are opaque text. A change here needs a migration
in `migrations/versions`: a test compares the two on both engines.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

SCHEMA_REVISION = "0005"
"""The latest migration, which leads to these tables."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_JSON = JSON(none_as_null=True)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("password_hash", Text),
    Column("role", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("disabled_at", Double),
)

erased_users = Table(
    "erased_users",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("erased_at", Double, nullable=False),
)
"""Ids of deleted users, so that usage still in a journal is dropped when it arrives."""

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("last_seen_at", Double, nullable=False),
    Column("address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)

setup_tokens = Table(
    "setup_tokens",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("expires_at", Double, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("scopes", _JSON, nullable=False),
    Column("models", _JSON),
    Column("allowed_ips", _JSON),
    Column("requests_per_minute", Integer),
    Column("expires_at", Double),
    Column("created_at", Double, nullable=False),
    Column("last_used_at", Double),
    Column("revoked_at", Double),
    Index(None, "user_id"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner_scope", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE")),
    Column("provider", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("masked_key", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_detail", Text, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("weight", Integer, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("model", Text),
    Column("config", _JSON, nullable=False),
    Column("allowed_models", _JSON),
    Column("allowed_ips", _JSON),
    Column("expires_at", Double),
    Column("monthly_limit", BigInteger),  # not used: limits have tables of their own
    Column("created_at", Double, nullable=False),
    Column("last_tested_at", Double),
    Column("last_used_at", Double),
    Column("version", Integer, nullable=False),
    UniqueConstraint("owner_scope", "owner_id", "provider", "fingerprint", "base_url", name="uq_credentials_same_key"),
    Index(
        "uq_credentials_default",
        "owner_scope",
        "owner_id",
        unique=True,
        sqlite_where=text("is_default"),
        postgresql_where=text("is_default"),
    ),
    Index(None, "user_id"),
)
"""`user_id` repeats `owner_id` when the owner is a user, for the foreign key; `base_url` is '' when unset, so
that the unique constraint compares it."""

preferences = Table(
    "preferences",
    metadata,
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("mode", Text, nullable=False),
    Column("model", Text),
    Column("temperature", Double),
    Column("max_tokens", BigInteger),
    Column("require_eu", Boolean, nullable=False),
    Column("key_order", _JSON, nullable=False),
    Column("paid_fallback", Text, nullable=False),
)

data_keys = Table(
    "data_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("use", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("master_version", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("retired", Boolean, nullable=False),
    UniqueConstraint("tenant", "use", "generation"),
    Index(None, "master_version"),
)

requests = Table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Double, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("owner_scope", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("api_key_id", Text),
    Column("model", Text, nullable=False),
    Column("upstream_model", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("credential_id", Text),
    Column("payer", Text, nullable=False),
    Column("client_format", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("http_status", Integer, nullable=False),
    Column("streamed", Boolean, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("cache_write_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("usage_reported", Boolean, nullable=False),
    Column("list_cost", BigInteger, nullable=False),
    Column("charged", BigInteger, nullable=False),
    Column("latency_ms", Double, nullable=False),
    Column("ttft_ms", Double),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),
    Column("detail", Text, nullable=False),
    Column("reserved", BigInteger, nullable=False, server_default="0"),
    Column("counted", BigInteger, nullable=False, server_default="0"),
    Index("ix_requests_user_id_at", "user_id", "at"),
    Index("ix_requests_credential_id_at", "credential_id", "at"),
    Index("ix_requests_at", "at"),
)
"""One column per field of `RequestRecord`, in its order. No foreign key to users: a batch is never rejected."""

stored_responses = Table(
    "stored_responses",
    metadata,
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("credential_id", Text),
    Column("sealed", LargeBinary),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Index(None, "expires_at"),
)
"""Exactly one of `credential_id` and `sealed` is set. No foreign key to credentials: when the key is deleted, the
response cannot be read and the error says so."""

routes = Table(
    "aliases",
    metadata,
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("model", Text, nullable=False),
    Column("credential_id", Text),
    Column("created_at", Double, nullable=False),
)
"""A user's own names for models. No foreign key to credentials: without its key, a request by the name fails with an
error that says so."""

pools = Table(
    "pools",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("window_s", Double, nullable=False),
    Column("spent", BigInteger, nullable=False),
    Column("leased", BigInteger, nullable=False),
    Column("spends", _JSON, nullable=False),
    Column("used_at", Double, nullable=False),
    Index(None, "used_at"),
)
"""Limits: `amount` of `unit` in `window_s` seconds. `spends` are (time, amount) pairs by the database's clock and
`spent` their sum; `leased` is the sum of what the leases hold. A pool is locked before its leases."""

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("process", Text, nullable=False),
    Column("journal", Text, nullable=False),
    Column("expires_at", Double, nullable=False),
)
"""Processes that hold leases. One that expired never returns under its id: that is the fence. `journal` is the
directory that records its spending."""

leases = Table(
    "leases",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("pool_id", Text, ForeignKey("pools.id"), primary_key=True),
    Column("granted", BigInteger, nullable=False),
    Column("settled", BigInteger, nullable=False),
    Column("recalled", Boolean, nullable=False),
    Index(None, "pool_id"),
)
"""What a run holds of a pool: `granted` less `settled`. `recalled`: another run needs it."""

change_counter = Table(
    "change_counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
)
"""One row, created by the migration."""

changes = Table(
    "changes",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("topic", Text, nullable=False),
    Column("at", Double, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("due_at", Double),
    Column("holder", Text),
    Column("attempts", Integer, nullable=False),
    Column("failure", Text),
    Column("created_at", Double, nullable=False),
    Index(None, "due_at"),
)
"""Requested work. `due_at` is when it may be claimed, None for a dead letter; `holder` has the lease until then."""
