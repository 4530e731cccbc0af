"""What a server keeps: connections, triggers, vars, deployments, events, subscriptions, tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

    op.add_column("projects", sa.Column("display_name", sa.Text, nullable=False, server_default=""))
    op.add_column("projects", sa.Column("store_slug", key))
    op.create_index("projects_by_store_slug", "projects", ["store_slug"], unique=True)
    op.add_column("store_values", sa.Column("is_published", sa.Boolean, nullable=False, server_default=sa.false()))
    for name in ("deployment_id", "trigger_id", "event_id"):
        op.add_column("sessions", sa.Column(name, key))
    unfinished = "state IN ('CREATED', 'RUNNING')"
    _create_partial_index("sessions_unfinished_of_deployment", "sessions", ["deployment_id"], where=unfinished)
    _create_partial_index("sessions_unfinished_of_trigger", "sessions", ["trigger_id"], where=unfinished)
    _create_partial_index("sessions_of_event", "sessions", ["event_id"], where="event_id IS NOT NULL")
    op.create_table(
        "vars",
        sa.Column("owner_id", key, primary_key=True),
        sa.Column("name", key, primary_key=True),
        sa.Column("is_secret", sa.Boolean, nullable=False),
        sa.Column("is_declared", sa.Boolean, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "connections",
        sa.Column("id", key, primary_key=True),
        sa.Column("project_id", key, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("name", key, nullable=False),
        sa.Column("integration", sa.Text, nullable=False),
        sa.Column("is_declared", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("project_id", "name"),
    )
    op.create_table(
        "triggers",
        sa.Column("id", key, primary_key=True),
        sa.Column("project_id", key, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("name", key, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("filter", sa.Text, nullable=False),
        sa.Column("connection_id", key, sa.ForeignKey("connections.id")),
        sa.Column("schedule", sa.Text, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("is_durable", sa.Boolean, nullable=False),
        sa.Column("is_sync", sa.Boolean, nullable=False),
        sa.Column("allow_overlap", sa.Boolean, nullable=False),
        sa.Column("is_paused", sa.Boolean, nullable=False),
        sa.Column("webhook_slug", key, unique=True),
        sa.Column("anchor_at", sa.BigInteger, nullable=False),
        sa.Column("next_tick_at", sa.BigInteger),
        sa.Column("last_tick_at", sa.BigInteger),
        sa.Column("is_declared", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("project_id", "name"),
    )
    _create_partial_index("triggers_of_connection", "triggers", ["connection_id"], where="connection_id IS NOT NULL")
    _create_partial_index("triggers_by_tick", "triggers", ["next_tick_at"], where="next_tick_at IS NOT NULL")
    op.create_table(
        "deployments",
        sa.Column("id", key, primary_key=True),
        sa.Column("project_id", key, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("build_id", key, sa.ForeignKey("builds.id"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    op.create_index("deployments_of_project", "deployments", ["project_id", "id"])
    _create_partial_index("deployment_active", "deployments", ["project_id"], where="state = 'ACTIVE'", unique=True)
    op.create_table(
        "events",
        sa.Column("id", key, primary_key=True),
        sa.Column("project_id", key, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("source_id", key, nullable=False),
        sa.Column("source_name", sa.Text, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("verdicts", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_index("events_of_project", "events", ["project_id", "id"])
    op.create_table(
        "event_keys",
        sa.Column("source_id", key, primary_key=True),
        sa.Column("key", key, primary_key=True),
        sa.Column("event_id", key, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", key, primary_key=True),
        sa.Column("session_id", key, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("project_id", key, nullable=False),
        sa.Column("source_id", key, nullable=False),
        sa.Column("filter", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("subscriptions_of_source", "subscriptions", ["source_id"])
    op.create_index("subscriptions_of_session", "subscriptions", ["session_id"])
    op.create_table(
        "subscription_events",
        sa.Column("id", serial, primary_key=True),
        sa.Column("subscription_id", key, sa.ForeignKey("subscriptions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("session_id", key, nullable=False),
        sa.Column("event_id", key, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("events_of_subscription", "subscription_events", ["subscription_id", "id"])
    op.create_table(
        "tokens",
        sa.Column("id", key, primary_key=True),
        sa.Column("name", key, nullable=False, unique=True),
        sa.Column("digest", key, nullable=False, unique=True),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("last_used_at", sa.BigInteger),
    )


def _create_partial_index(name: str, table: str, columns: list[str], *, where: str, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
