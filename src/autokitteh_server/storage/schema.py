"""Every table, the same for both dialects. `migrations/` builds the same step by step; a test compares the two.

Times are microseconds since 1970 (UTC). JSON is kept as ASCII text. In a row the large columns come last: SQLite
walks over what stands before the column it wants.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

#: The newest revision in `migrations/versions`. A database at this revision is opened without importing Alembic.
HEAD = "0007"

metadata = MetaData()

# What keys are made of. PostgreSQL would compare them by the rules of a language, which is slow and sorts otherwise
# than SQLite.
_Key = Text().with_variant(Text(collation="C"), "postgresql")
# SQLite numbers rows by itself only where the type is INTEGER, which has 64 bits there.
_Serial = BigInteger().with_variant(Integer(), "sqlite")


def _partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


projects = Table(
    "projects",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("name", _Key, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("display_name", Text, nullable=False, server_default=""),
    Column("store_slug", _Key),
    Index("projects_by_store_slug", "store_slug", unique=True),
)

builds = Table(
    "builds",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("project_id", _Key, ForeignKey("projects.id"), nullable=False),
    Column("digest", _Key, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("setup", Text),  # JSON; NULL: nobody has looked what the code needs
    UniqueConstraint("project_id", "digest"),
)

build_files = Table(
    "build_files",
    metadata,
    Column("build_id", _Key, ForeignKey("builds.id"), primary_key=True),
    Column("path", _Key, primary_key=True),
    Column("blob", _Key, ForeignKey("blobs.hash"), nullable=False),
    Index("build_files_by_blob", "blob"),
)

blobs = Table(
    "blobs",
    metadata,
    Column("hash", _Key, primary_key=True),  # SHA-256 of the data, in hexadecimal
    Column("data", LargeBinary, nullable=False),
)

#: The condition of the index of sessions that are not final. A query must repeat it word for word: SQLite uses a
#: partial index only where it recognises the condition.
UNFINISHED = "state IN ('CREATED', 'RUNNING')"

sessions = Table(
    "sessions",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("project_id", _Key, ForeignKey("projects.id"), nullable=False),
    Column("build_id", _Key, ForeignKey("builds.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("durable", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("waits", Text),  # JSON; NULL: it has work to do
    # No foreign key: a child outlives the deletion of its parent, and still tells whose it was.
    Column("parent_id", _Key),
    Column("entry", Text, nullable=False),
    Column("memo", Text, nullable=False),  # JSON
    Column("error", Text),
    Column("result", Text),  # JSON
    Column("vars", Text, nullable=False),  # JSON
    Column("event", Text, nullable=False),  # JSON
    Column("deployment_id", _Key),
    Column("trigger_id", _Key),
    Column("event_id", _Key),
    Index("sessions_of_project", "project_id", "id"),
    _partial_index("sessions_unfinished", "id", where=UNFINISHED),
    _partial_index("sessions_unfinished_of_deployment", "deployment_id", where=UNFINISHED),
    _partial_index("sessions_unfinished_of_trigger", "trigger_id", where=UNFINISHED),
    _partial_index("sessions_of_event", "event_id", where="event_id IS NOT NULL"),
)

# Written far more often than read. Measured with 5,000 sessions on SQLite, 64 records a commit: 42,000 records/s with
# these two partial indexes, of which each record enters just one; 24,000 with one over (session_id) beside the unique
# one. Not WITHOUT ROWID, which is 2.4 times slower; not AUTOINCREMENT, which updates a second table each time. No
# foreign key to sessions: the fence has just read that row.
journal = Table(
    "journal",
    metadata,
    Column("seq", _Serial, primary_key=True),
    Column("session_id", _Key, nullable=False),
    Column("format", Integer, nullable=False),
    Column("kind", _Key, nullable=False),
    Column("phase", _Key, nullable=False),
    Column("task", _Key, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("args", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger, nullable=False),
    Column("codec", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("blob", _Key),  # hash of the payload, where that is a blob
    _partial_index(
        "journal_place", "session_id", "task", "idx", "kind", "phase", "attempt", where="idx >= 0", unique=True
    ),
    _partial_index("journal_without_place", "session_id", where="idx < 0"),
    _partial_index("journal_by_blob", "blob", where="blob IS NOT NULL"),  # is it still needed? Few records have one
)

signals = Table(
    "signals",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("session_id", _Key, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("payload", Text, nullable=False),  # JSON
    Column("sent_at", BigInteger, nullable=False),
    Index("signals_of_session", "session_id", "id"),
    sqlite_autoincrement=True,  # the id of a signal that was taken is never given again
)

store_values = Table(
    "store_values",
    metadata,
    Column("project_id", _Key, ForeignKey("projects.id"), primary_key=True),
    Column("key", _Key, primary_key=True),
    Column("value", Text, nullable=False),  # JSON
    Column("is_published", Boolean, nullable=False, server_default=false()),
)

variables = Table(
    "vars",
    metadata,
    Column("owner_id", _Key, primary_key=True),  # of a project or a connection
    Column("name", _Key, primary_key=True),
    Column("is_secret", Boolean, nullable=False),
    Column("is_declared", Boolean, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("description", Text, nullable=False),
    Column("value", Text, nullable=False),  # of a secret one: sealed
)

connections = Table(
    "connections",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("project_id", _Key, ForeignKey("projects.id"), nullable=False),
    Column("name", _Key, nullable=False),
    Column("integration", Text, nullable=False),
    Column("is_declared", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    # What came of trying it; NULL: it was never tried.
    Column("checked_at", BigInteger),
    Column("check_code", Text),
    Column("check_message", Text),
    Column("check_remedy", Text),
    UniqueConstraint("project_id", "name"),
    Index("connections_of_integration", "integration"),
)

triggers = Table(
    "triggers",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("project_id", _Key, ForeignKey("projects.id"), nullable=False),
    Column("name", _Key, nullable=False),
    Column("type", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("filter", Text, nullable=False),
    Column("connection_id", _Key, ForeignKey("connections.id")),
    Column("schedule", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("is_durable", Boolean, nullable=False),
    Column("is_sync", Boolean, nullable=False),
    Column("allow_overlap", Boolean, nullable=False),
    Column("is_paused", Boolean, nullable=False),
    Column("webhook_slug", _Key, unique=True),
    Column("anchor_at", BigInteger, nullable=False),
    Column("next_tick_at", BigInteger),
    Column("last_tick_at", BigInteger),
    Column("is_declared", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("project_id", "name"),
    _partial_index("triggers_of_connection", "connection_id", where="connection_id IS NOT NULL"),
    _partial_index("triggers_by_tick", "next_tick_at", where="next_tick_at IS NOT NULL"),
)

deployments = Table(
    "deployments",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("project_id", _Key, ForeignKey("projects.id"), nullable=False),
    Column("build_id", _Key, ForeignKey("builds.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("deployments_of_project", "project_id", "id"),
    _partial_index("deployment_active", "project_id", where="state = 'ACTIVE'", unique=True),
)

events = Table(
    "events",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("project_id", _Key, ForeignKey("projects.id"), nullable=False),
    # No foreign key: an event outlives the trigger or connection that it came from.
    Column("source_id", _Key, nullable=False),
    Column("source_name", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("key", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("verdicts", Text, nullable=False),  # JSON
    Column("data", Text, nullable=False),  # JSON
    Index("events_of_project", "project_id", "id"),
)

#: What senders call their events, for as long as repeats are recognised.
event_keys = Table(
    "event_keys",
    metadata,
    Column("source_id", _Key, primary_key=True),
    Column("key", _Key, primary_key=True),
    Column("event_id", _Key, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("session_id", _Key, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("project_id", _Key, nullable=False),
    Column("source_id", _Key, nullable=False),
    Column("filter", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("subscriptions_of_source", "source_id"),
    Index("subscriptions_of_session", "session_id"),
)

#: Events that wait for `next_event`, in order of arrival.
subscription_events = Table(
    "subscription_events",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("subscription_id", _Key, ForeignKey("subscriptions.id", ondelete="CASCADE"), nullable=False),
    Column("session_id", _Key, nullable=False),
    Column("event_id", _Key, nullable=False),
    Column("event", Text, nullable=False),  # JSON: what `next_event` gives; retention may delete the event before
    Index("events_of_subscription", "subscription_id", "id"),
    sqlite_autoincrement=True,
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("name", _Key, nullable=False, unique=True),
    Column("digest", _Key, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),  # JSON
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("last_used_at", BigInteger),
)

#: What is remembered of people who are about to let a connection use their account, each for a few minutes and once.
oauth_flows = Table(
    "oauth_flows",
    metadata,
    Column("digest", _Key, primary_key=True),  # of the ticket, or of what the state has in it
    Column("kind", Text, nullable=False),
    Column("connection_id", _Key, ForeignKey("connections.id", ondelete="CASCADE"), nullable=False),
    Column("auth_type", Text, nullable=False),
    Column("browser", Text, nullable=False),  # the digest of the browser's cookie
    Column("expires_at", BigInteger, nullable=False),
    Column("verifier", Text, nullable=False),  # of PKCE, sealed
    Index("oauth_flows_by_end", "expires_at"),
    Index("oauth_flows_of_connection", "connection_id"),
)

#: How events of connections come in, as far as something has to be done for that; of those that are deployed.
feeds = Table(
    "feeds",
    metadata,
    Column("connection_id", _Key, ForeignKey("connections.id", ondelete="CASCADE"), primary_key=True),
    Column("next_at", BigInteger),  # when something is to be done; NULL: a gateway, which is held open
    Column("polled_at", BigInteger, nullable=False),  # when its service was asked last; 0: never
    Column("worked_at", BigInteger, nullable=False),  # when something was done last
    Column("renew_at", BigInteger),  # when it is to be told anew; NULL: never
    Column("failures", Integer, nullable=False),  # in a row
    Column("state", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),  # of the state
    Column("registered_url", Text, nullable=False),  # under which its service was told that we are
    Column("about", Text, nullable=False),  # a digest of what polls are about, such as a calendar's id
    Column("message", Text, nullable=False),  # for people
    _partial_index("feeds_by_next", "next_at", where="next_at IS NOT NULL"),
)

#: What only one server may have at a time, and until when it has it unless it says so again.
leases = Table(
    "leases",
    metadata,
    Column("name", _Key, primary_key=True),
    Column("holder", _Key, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("place", Text, nullable=False),  # where whoever has it has left off
)


def names_of(table: Table) -> tuple[str, ...]:
    """The names of a table's columns, in their order."""
    return tuple(column.name for column in table.columns)


Row = tuple[Any, ...]
